"""The history of all jobs, or of some, in the order of their events, a page at a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, Text, bindparam, func, select, type_coerce

from aerjob_cli.store.tables import events, job_tags, jobs

_TAGS = type_coerce(
    select(func.json_group_array(job_tags.c.tag)).where(job_tags.c.job_seq == jobs.c.seq).scalar_subquery(), Text
).label("tags")
_TOLD: Select[*tuple[Any, ...]] = (
    select(
        events.c.seq,
        events.c.job_seq,
        events.c.at_us,
        events.c.from_status,
        events.c.to_status,
        events.c.attempt,
        events.c.worker_id,
        events.c.why,
        jobs.c.job_id,
        jobs.c.reason,
        jobs.c.name,
        jobs.c.group_name,
        _TAGS,
    )
    .join(jobs, jobs.c.seq == events.c.job_seq)
    .where(events.c.seq > bindparam("after"))
    .order_by(events.c.seq)
    .limit(bindparam("limit"))
)

OF_ALL = _TOLD
OF_JOB = _TOLD.where(events.c.job_seq == bindparam("of_job"), events.c.seq <= bindparam("up_to"))
LAST_SEQ = select(func.max(events.c.seq))
FIRST_SEQ_OF_JOB = select(func.min(events.c.seq)).where(events.c.job_seq == bindparam("of_job"))
