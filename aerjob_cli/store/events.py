"""The history of jobs: one row for each transition, written in the transaction that makes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from aerjob_cli.states import Status
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import Claim, EventRecord
from aerjob_cli.store.values import complete

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from aerjob_cli.store.statements import events as statements
else:
    statements = prepared("events")

_NEEDED = ("seq", "at_us", "to_status", "attempt", "why")


def note(
    tx: Connection,
    job_seqs: Iterable[int],
    *,
    at_us: int,
    source: Status | None,
    target: Status,
    why: str,
    attempt: int = 0,
    worker_id: str | None = None,
    runtime_id: str | None = None,
) -> None:
    """Add one transition to the history of each of the jobs."""
    shared = {"at_us": at_us, "from_status": source, "to_status": target, "why": why}
    own = {"attempt": attempt, "worker_id": worker_id, "runtime_id": runtime_id}
    _insert(tx, [{"job_seq": job_seq, **shared, **own} for job_seq in job_seqs])


def note_moves(tx: Connection, moved: Sequence[Claim], target: Status, why: str, now_us: int) -> None:
    """Add a move that landed to the history of each job: from where its claim had it."""
    shared = {"at_us": now_us, "to_status": target, "why": why}
    _insert(tx, [{"job_seq": held.job_seq, **shared, **_of_claim(held)} for held in moved])


def _of_claim(held: Claim) -> dict[str, Any]:
    return {
        "from_status": held.status,
        "attempt": held.attempt,
        "worker_id": held.worker_id,
        "runtime_id": held.runtime_id,
    }


def _insert(tx: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        tx.execute(statements.INSERT_EVENTS, rows)


def history(tx: Connection, job_seq: int) -> list[EventRecord]:
    """Give a job's transitions, oldest first (by sequence: clocks may run backwards)."""
    return [_record(row) for row in tx.execute(statements.OF_JOB, {"of_job": job_seq})]


def _record(row: Row[*tuple[Any, ...]]) -> EventRecord:
    complete(row, _NEEDED)
    return EventRecord(
        seq=row.seq,
        at_us=row.at_us,
        from_status=None if row.from_status is None else Status(row.from_status),
        to_status=Status(row.to_status),
        attempt=row.attempt,
        worker_id=row.worker_id,
        why=row.why,
        runtime_id=row.runtime_id,
    )
