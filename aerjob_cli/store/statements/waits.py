"""What keeps jobs from starting that somebody can change: a hold, a time, their place in the queue."""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from aerjob_cli.states import UNBEGUN
from aerjob_cli.store.tables import jobs

_MEANT = jobs.c.seq.in_(bindparam("seqs", expanding=True))
_HAS_NOT_BEGUN = jobs.c.status.in_(UNBEGUN)
_WHERE = (jobs.c.seq, jobs.c.status, jobs.c.attempt)

HOLD = (
    update(jobs)
    .where(_MEANT, _HAS_NOT_BEGUN, jobs.c.held == 0)
    .values(held=1, waits=jobs.c.waits + 1)
    .returning(*_WHERE)
)
RELEASE = (
    update(jobs)
    .where(_MEANT, _HAS_NOT_BEGUN, jobs.c.held == 1)
    .values(held=0, waits=jobs.c.waits - 1)
    .returning(*_WHERE)
)
PRIORITIES = select(*_WHERE, jobs.c.priority).where(
    _MEANT, _HAS_NOT_BEGUN, jobs.c.priority != bindparam("new_priority")
)
SET_PRIORITY = update(jobs).where(_MEANT, _HAS_NOT_BEGUN).values(priority=bindparam("new_priority"))

_WAITS_FOR_A_TIME = (jobs.c.finished_us.is_(None), jobs.c.begin_us.is_not(None))
NEXT_BEGIN = select(jobs.c.begin_us).where(*_WAITS_FOR_A_TIME).order_by(jobs.c.begin_us).limit(1)
BEGIN_DUE = (
    update(jobs)
    .where(*_WAITS_FOR_A_TIME, jobs.c.begin_us <= bindparam("now_us"))
    .values(begin_us=None, waits=jobs.c.waits - 1)
    .returning(*_WHERE)
)
