"""Taking jobs: one worker gets each, with the right to advance it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, case, null, select, update

from aerjob_cli.states import Status
from aerjob_cli.store.events import note
from aerjob_cli.store.jobs import record_of
from aerjob_cli.store.moves import not_before_submission
from aerjob_cli.store.records import Claim, ClaimedJob
from aerjob_cli.store.statements.jobs import JOB_COLUMNS
from aerjob_cli.store.tables import IS_QUEUED, jobs


@dataclass(frozen=True, slots=True)
class Candidate:
    """A queued job, as whoever may take it needs to know it. ``threads`` is None where nobody has said."""

    seq: int
    threads: int | None


def _all(candidates: list[Candidate]) -> list[int]:
    return [candidate.seq for candidate in candidates]


_CLAIM_VALIDATIONS = (
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
_NEXT = (
    select(jobs.c.seq, jobs.c.threads)
    .where(IS_QUEUED)
    .order_by(jobs.c.priority.desc(), jobs.c.seq)
    .limit(bindparam("at_most"))
)
_NEXT_SMALL = _NEXT.where(jobs.c.threads == 1)
_CLAIM = (
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


_HELD = select(jobs.c.seq, jobs.c.claim_token, jobs.c.cancel_requested_us).where(
    jobs.c.finished_us.is_(None),
    jobs.c.status.in_((Status.VALIDATING, Status.RUNNING)),
    jobs.c.worker_id == bindparam("holder"),
)


def claim_validations(tx: Connection, worker_id: str, *, limit: int, now_us: int) -> list[ClaimedJob]:
    """INITIALIZING → VALIDATING for the first submitted jobs, at most ``limit`` of them."""
    token = secrets.token_hex(16)
    values = {"at_most": limit, "new_worker_id": worker_id, "new_token": token}
    rows = tx.execute(_CLAIM_VALIDATIONS, values).all()
    claimed = sorted(_claimed(rows, Status.VALIDATING, token, worker_id), key=lambda item: item.job.seq)
    note(
        tx,
        [item.claim.job_seq for item in claimed],
        at_us=now_us,
        source=Status.INITIALIZING,
        target=Status.VALIDATING,
        worker_id=worker_id,
        why="claimed for validation",
    )
    return claimed


def claim(
    tx: Connection,
    worker_id: str,
    *,
    limit: int,
    now_us: int,
    choose: Callable[[list[Candidate]], list[int]] = _all,
    small_only: bool = False,
) -> list[ClaimedJob]:
    """QUEUED → RUNNING for the next jobs by priority, then submission, at most ``limit`` of them.

    ``choose`` is shown what is next, in that order, and says which, by their sequence numbers, it takes; with
    ``small_only`` jobs of several threads are passed over.
    """
    query = _NEXT_SMALL if small_only else _NEXT
    wanted = choose([Candidate(*row) for row in tx.execute(query, {"at_most": limit})])
    if not wanted:
        return []
    token = secrets.token_hex(16)
    rows = tx.execute(_CLAIM, {"seqs": wanted, "new_worker_id": worker_id, "new_token": token, "now_us": now_us}).all()
    claimed = _claimed(rows, Status.RUNNING, token, worker_id)
    for attempt, group in groupby(sorted(claimed, key=_attempt), key=_attempt):
        note(
            tx,
            [item.claim.job_seq for item in group],
            at_us=now_us,
            source=Status.QUEUED,
            target=Status.RUNNING,
            attempt=attempt,
            worker_id=worker_id,
            why=f"attempt {attempt} began",
        )
    return sorted(claimed, key=lambda item: (-item.job.priority, item.job.seq))


def claims_of(tx: Connection, worker_id: str) -> dict[tuple[int, str], bool]:
    """Give (sequence number, token) of each claim this worker still has, and whether somebody wants the job ended."""
    rows = tx.execute(_HELD, {"holder": worker_id})
    return {(row.seq, row.claim_token): row.cancel_requested_us is not None for row in rows}


def _claimed(rows: Sequence[Any], status: Status, token: str, worker_id: str) -> list[ClaimedJob]:
    records = [record_of(row) for row in rows]
    return [ClaimedJob(job, Claim(job.seq, job.job_id, status, job.attempt, token, worker_id)) for job in records]


def _attempt(item: ClaimedJob) -> int:
    return item.claim.attempt
