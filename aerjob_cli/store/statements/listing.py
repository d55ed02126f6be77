"""Listing jobs; those that something is asked of are found as `list_plans` has it."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select

from aerjob_cli.store.tables import jobs

LATEST = select(jobs.c.seq).order_by(jobs.c.seq.desc()).limit(bindparam("limit"))

_OTHER = jobs.alias("other")
# The ids before and after others in the alphabet, which the unique index gives at once.
NEIGHBOURS = select(
    jobs.c.job_id,
    select(func.max(_OTHER.c.job_id)).where(_OTHER.c.job_id < jobs.c.job_id).scalar_subquery(),
    select(func.min(_OTHER.c.job_id)).where(_OTHER.c.job_id > jobs.c.job_id).scalar_subquery(),
).where(jobs.c.seq.in_(bindparam("seqs", expanding=True)))
