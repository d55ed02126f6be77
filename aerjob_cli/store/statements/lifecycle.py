"""The moves of a job that a worker holds, and what decides on them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Update, and_, bindparam, case, func, null, select, update

from aerjob_cli.states import Reason, Status
from aerjob_cli.store.move_times import not_before_start
from aerjob_cli.store.statements.dependencies import ended_columns
from aerjob_cli.store.tables import jobs

_IS_HELD: ColumnElement[bool] = and_(
    jobs.c.seq == bindparam("held_seq"),
    jobs.c.status == bindparam("held_status"),
    jobs.c.attempt == bindparam("held_attempt"),
    jobs.c.claim_token == bindparam("held_token"),
)
_HELD = update(jobs).where(_IS_HELD)


def _left_for(target: Status) -> Update:
    return _HELD.values(status=target, claim_token=null())


VALIDATIONS = select(jobs.c.validations).where(jobs.c.seq == bindparam("held_seq"))
ATTEMPTS = select(jobs.c.attempts_charged, jobs.c.max_attempts).where(jobs.c.seq == bindparam("held_seq"))
CANCEL_REQUESTED = select(jobs.c.cancel_requested_us).where(jobs.c.seq == bindparam("held_seq"))

RETURN_VALIDATION = _left_for(Status.INITIALIZING).values(validations=jobs.c.validations - bindparam("uncounted"))
NOTE_EXECUTOR = _HELD.values(executor_pid=bindparam("new_pid"), executor_started=bindparam("new_started"))
FAIL = (
    _left_for(Status.ERROR)
    .values(
        reason=bindparam("new_reason"),
        message=bindparam("new_message"),
        stderr_tail=bindparam("new_stderr_tail"),
        error_line=bindparam("new_line"),
        error_column=bindparam("new_column"),
        finished_us=not_before_start(bindparam("now_us")),
    )
    .returning(*ended_columns)
)
QUEUE_AGAIN = _left_for(Status.QUEUED).values(attempts_charged=jobs.c.attempts_charged + bindparam("charged"))
PUT_BACK = _left_for(Status.QUEUED).values(
    attempt=jobs.c.attempt - 1, started_us=case((jobs.c.attempt == 1, null()), else_=jobs.c.started_us)
)
CANCEL = (
    _left_for(Status.CANCELLED)
    .values(
        reason=Reason.USER_CANCELLED,
        message=func.coalesce(jobs.c.cancel_message, bindparam("otherwise")),
        finished_us=not_before_start(bindparam("now_us")),
    )
    .returning(*ended_columns)
)
