"""Taking jobs."""

from __future__ import annotations

from sqlalchemy import bindparam, case, func, null, select, update

from aerjob_cli.states import Status
from aerjob_cli.store.move_times import not_before_submission
from aerjob_cli.store.statements.jobs import JOB_COLUMNS
from aerjob_cli.store.tables import IS_QUEUED, jobs

CLAIM_VALIDATIONS = (
    update(jobs)
    .where(
        jobs.c.seq.in_(
            select(jobs.c.seq)
            .where(jobs.c.finished_us.is_(None), jobs.c.status == Status.INITIALIZING)
            .order_by(jobs.c.seq)
            .limit(bindparam("at_most"))
        )
    )
    .values(
        status=Status.VALIDATING,
        worker_id=bindparam("new_worker_id"),
        claim_token=bindparam("new_token"),
        validations=jobs.c.validations + 1,
    )
    .returning(*JOB_COLUMNS)
)
NEXT = (
    select(jobs.c.seq, jobs.c.threads, jobs.c.estimated_bytes)
    .where(IS_QUEUED)
    .order_by(jobs.c.priority.desc(), jobs.c.seq)
    .limit(bindparam("at_most"))
)
NEXT_SMALL = NEXT.where(jobs.c.threads == 1)
# Behind so many nobody passes a job that lacks memory: the look is made each second, and keeps others from writing.
_LOOKED_AT = 2000
_FIRST = (
    select(jobs.c.seq, jobs.c.priority, jobs.c.threads, jobs.c.estimated_bytes)
    .where(IS_QUEUED)
    .order_by(jobs.c.priority.desc(), jobs.c.seq)
    .limit(_LOOKED_AT)
    .subquery()
)
NEXT_FITTING = (
    select(_FIRST.c.seq, _FIRST.c.threads, _FIRST.c.estimated_bytes)
    .where(func.coalesce(_FIRST.c.estimated_bytes, 0) <= bindparam("room_bytes"))
    .order_by(_FIRST.c.priority.desc(), _FIRST.c.seq)
    .limit(bindparam("at_most"))
)
NEXT_SMALL_FITTING = NEXT_FITTING.where(_FIRST.c.threads == 1)
CLAIM = (
    update(jobs)
    .where(jobs.c.seq.in_(bindparam("seqs", expanding=True)), jobs.c.status == Status.QUEUED)
    .values(
        status=Status.RUNNING,
        worker_id=bindparam("new_worker_id"),
        claim_token=bindparam("new_token"),
        attempt=jobs.c.attempt + 1,
        started_us=case(
            (jobs.c.started_us.is_(None), not_before_submission(bindparam("now_us"))), else_=jobs.c.started_us
        ),
        # Those of an earlier attempt.
        executor_pid=null(),
        executor_started=null(),
    )
    .returning(*JOB_COLUMNS)
)


HELD = select(jobs.c.seq, jobs.c.claim_token, jobs.c.cancel_requested_us).where(
    jobs.c.finished_us.is_(None),
    jobs.c.status.in_((Status.VALIDATING, Status.RUNNING)),
    jobs.c.worker_id == bindparam("holder"),
)
