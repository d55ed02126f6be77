"""What is going on in the whole store."""

from __future__ import annotations

from sqlalchemy import BindParameter, bindparam, func, select

from aerjob_cli.states import FINAL
from aerjob_cli.store import tables
from aerjob_cli.store.statements.jobs import ALL as _ALL
from aerjob_cli.store.tables import events, jobs

_LIMIT: BindParameter[int] = bindparam("limit")
_HAS_ENDED = jobs.c.finished_us.is_not(None)

ENDED_BY_STATUS = (
    select(jobs.c.status, func.count()).where(_HAS_ENDED, jobs.c.status.in_(sorted(FINAL))).group_by(jobs.c.status)
)
LAST_ENDED = select(jobs.c.seq).where(_HAS_ENDED).order_by(jobs.c.finished_us.desc(), jobs.c.seq.desc()).limit(_LIMIT)
LATEST_EVENT = select(func.max(events.c.seq))
EVENT_UP_TO = (
    select(events.c.seq, events.c.at_us)
    .where(events.c.seq <= bindparam("up_to"))
    .order_by(events.c.seq.desc())
    .limit(1)
)
ENDINGS_AFTER = (
    select(
        events.c.seq,
        jobs.c.seq.label("job_seq"),
        jobs.c.status,
        jobs.c.started_us,
        jobs.c.finished_us,
        jobs.c.experiments_done,
    )
    .join(jobs, jobs.c.seq == events.c.job_seq)
    .where(events.c.seq > bindparam("after"), events.c.to_status.in_(sorted(FINAL)))
    .order_by(events.c.seq)
)

# "finished_us IS NULL" is what lets the small index of pending jobs answer.
PENDING_IN = (
    _ALL.where(jobs.c.finished_us.is_(None), jobs.c.status == bindparam("state")).order_by(jobs.c.seq).limit(_LIMIT)
)
_FIRST_QUEUED = select(jobs.c.seq).where(tables.IS_QUEUED).order_by(jobs.c.priority.desc(), jobs.c.seq).limit(_LIMIT)
NEXT_QUEUED = _ALL.where(jobs.c.seq.in_(_FIRST_QUEUED))
