"""Taking jobs: one worker gets each, with the right to advance it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Status
from aerjob_cli.store.events import note
from aerjob_cli.store.jobs import record_of
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import Claim, ClaimedJob

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import claims as statements
else:
    statements = prepared("claims")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A queued job, as whoever may take it needs to know it. What is None nobody has said."""

    seq: int
    threads: int | None
    estimated_bytes: int | None


@dataclass(frozen=True, slots=True)
class Taken:
    """Which of some queued jobs are taken, by their sequence numbers.

    Where one lacks memory, ``look_for_bytes`` has those behind it looked for that need no more than that; none of them
    otherwise.
    """

    seqs: list[int]
    look_for_bytes: int | None = None


def _all(candidates: list[Candidate], all_fit: bool) -> Taken:
    return Taken([candidate.seq for candidate in candidates])


def claim_validations(tx: Connection, worker_id: str, *, limit: int, now_us: int) -> list[ClaimedJob]:
    """INITIALIZING → VALIDATING for the first submitted jobs, at most ``limit`` of them."""
    token = secrets.token_hex(16)
    values = {"at_most": limit, "new_worker_id": worker_id, "new_token": token}
    rows = tx.execute(statements.CLAIM_VALIDATIONS, values).all()
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
    choose: Callable[[list[Candidate], bool], Taken] = _all,
    small_only: bool = False,
) -> list[ClaimedJob]:
    """QUEUED → RUNNING for the next jobs by priority, then submission, at most ``limit`` of them.

    They are read, then taken, in one transaction, in which nobody else writes: a single statement could not ask what
    fits beside the jobs that run. ``choose`` is shown what is next, in that order, and says what it takes; with
    ``small_only`` jobs of several threads are passed over. If it says so, it is shown once more what is next, without
    the jobs that need more memory, and told so.
    """
    query = statements.NEXT_SMALL if small_only else statements.NEXT
    taken = choose([Candidate(*row) for row in tx.execute(query, {"at_most": limit})], False)
    if taken.look_for_bytes is not None:
        query = statements.NEXT_SMALL_FITTING if small_only else statements.NEXT_FITTING
        found = tx.execute(query, {"at_most": limit, "room_bytes": taken.look_for_bytes})
        taken = choose([Candidate(*row) for row in found], True)
    wanted = taken.seqs
    if not wanted:
        return []
    token = secrets.token_hex(16)
    rows = tx.execute(
        statements.CLAIM, {"seqs": wanted, "new_worker_id": worker_id, "new_token": token, "now_us": now_us}
    ).all()
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
    rows = tx.execute(statements.HELD, {"holder": worker_id})
    return {(row.seq, row.claim_token): row.cancel_requested_us is not None for row in rows}


def _claimed(rows: Sequence[Any], status: Status, token: str, worker_id: str) -> list[ClaimedJob]:
    records = [record_of(row) for row in rows]
    return [ClaimedJob(job, Claim(job.seq, job.job_id, status, job.attempt, token, worker_id)) for job in records]


def _attempt(item: ClaimedJob) -> int:
    return item.claim.attempt
