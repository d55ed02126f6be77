"""Ending jobs on request."""

from __future__ import annotations

from sqlalchemy import bindparam, func, null, select, update

from aerjob_cli.states import PENDING, Reason, Status
from aerjob_cli.store.move_times import not_before_start
from aerjob_cli.store.statements.dependencies import ended_columns
from aerjob_cli.store.tables import jobs

_NOW = bindparam("now_us", type_=jobs.c.finished_us.type)
_MEANT = jobs.c.seq.in_(bindparam("seqs", expanding=True))

PENDING_OF = select(jobs.c.seq, jobs.c.status).where(_MEANT, jobs.c.status.in_(sorted(PENDING)))
ASK_TO_END = (
    update(jobs)
    .where(_MEANT, jobs.c.status == Status.RUNNING)
    .values(
        cancel_requested_us=func.coalesce(jobs.c.cancel_requested_us, _NOW),
        cancel_message=func.coalesce(jobs.c.cancel_message, bindparam("wish")),
    )
)
CANCEL_BEFORE_IT_RUNS = (
    update(jobs)
    .where(_MEANT, jobs.c.status == bindparam("was"))
    .values(
        status=Status.CANCELLED,
        reason=Reason.USER_CANCELLED,
        message=bindparam("why"),
        claim_token=null(),
        cancel_requested_us=_NOW,
        finished_us=not_before_start(_NOW),
    )
    .returning(*ended_columns)
)
