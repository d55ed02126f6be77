"""The jobs of a group, all together."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select

from aerjob_cli.states import Status
from aerjob_cli.store.tables import jobs

_IN_GROUP = jobs.c.group_name == bindparam("of_group")
_IS_PENDING = jobs.c.finished_us.is_(None)
_LEFT = jobs.c.experiments_total - jobs.c.experiments_done

SEQS = select(jobs.c.seq).where(_IN_GROUP).order_by(jobs.c.seq)
LATEST = select(jobs.c.seq).where(_IN_GROUP).order_by(jobs.c.seq.desc()).limit(bindparam("limit"))
# One row for all of them, however many: grouped by state they would be sorted first.
SUMS = select(
    *(func.count().filter(jobs.c.status == status).label(status.lower()) for status in Status),
    func.sum(jobs.c.experiments_done).label("experiments_done"),
    func.sum(jobs.c.experiments_total).label("experiments_total"),
    func.sum(_LEFT).filter(_IS_PENDING).label("experiments_left"),
    func.count().filter(_IS_PENDING, jobs.c.experiments_total.is_(None)).label("unknown"),
    func.min(jobs.c.started_us).label("started_us"),
    func.max(jobs.c.finished_us).label("finished_us"),
).where(_IN_GROUP)
