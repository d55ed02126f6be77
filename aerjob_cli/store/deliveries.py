"""What executors have brought, written for many jobs at once: verdicts, results, ends.

Each verb takes claims and answers which of them still held: the others changed nothing. Claims that were made together
share a token, so that a statement or two write what a group of small jobs gave.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from aerjob_cli.states import Status
from aerjob_cli.store import dependencies
from aerjob_cli.store.events import note_moves
from aerjob_cli.store.parts import in_parts
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import Claim, ExperimentRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import deliveries as statements
else:
    statements = prepared("deliveries")

# A claim by what is the same for all that were made together, and the job: enough to tell it from every other.
Key = tuple[int, str]


def key_of(held: Claim) -> Key:
    """Name a claim."""
    return held.job_seq, held.token


def accept(tx: Connection, verdicts: Sequence[tuple[Claim, int, int, int | None]], *, now_us: int) -> set[Key]:
    """VALIDATING → QUEUED: the circuits can run; how many experiments, on how many threads, is now fixed.

    The last of a verdict is the memory that they are estimated to take, in bytes.
    """
    plans = {
        held: {"new_total": total, "new_threads": threads, "new_estimated_bytes": estimated_bytes}
        for held, total, threads, estimated_bytes in verdicts
    }
    landed = _written(tx, statements.ACCEPT, plans)
    note_moves(tx, landed, Status.QUEUED, "validated", now_us)
    return set(map(key_of, landed))


def record(tx: Connection, results: Sequence[tuple[Claim, Sequence[ExperimentRecord]]]) -> set[Key]:
    """Store results of running attempts; each position of a job once, whoever ran it."""
    by_claim: dict[Claim, list[ExperimentRecord]] = {}
    for held, found in results:
        by_claim.setdefault(held, []).extend(found)
    landed = _written(tx, statements.COUNT, {held: {"new_results": len(found)} for held, found in by_claim.items()})
    stored = [(held, result) for held in landed for result in by_claim[held]]
    if stored:
        insert(tx, [(held.job_seq, replace(result, attempt=held.attempt), held.runtime_id) for held, result in stored])
    return set(map(key_of, landed))


def insert(tx: Connection, results: Sequence[tuple[int, ExperimentRecord, str | None]]) -> None:
    """Add results to running jobs, by their sequence numbers, and what each ran with; they are not counted here."""
    tx.execute(statements.INSERT_EXPERIMENTS, [_experiment_row(*each) for each in results])
    arrays = [row for job_seq, result, _ in results for row in _array_rows(job_seq, result)]
    if arrays:
        tx.execute(statements.INSERT_ARRAYS, arrays)


def finish(tx: Connection, ended: Sequence[tuple[Claim, str]], *, now_us: int) -> set[Key]:
    """RUNNING → DONE for jobs of which the result of every experiment is stored; with the engine that ran each."""
    awaited: list[int] = []
    values = {held: {"new_engine": engine, "now_us": now_us} for held, engine in ended}
    landed = _written(tx, statements.FINISH, values, awaited=awaited)
    note_moves(tx, landed, Status.DONE, "every experiment succeeded", now_us)
    dependencies.settle(tx, awaited, now_us=now_us)
    return set(map(key_of, landed))


def _written(
    tx: Connection,
    statement: Any,
    values: Mapping[Claim, Mapping[str, Any]],
    *,
    awaited: list[int] | None = None,
) -> list[Claim]:
    """Write the same to all claims that were made together and get the same values; give those that still held.

    A statement that ends jobs adds those to ``awaited`` that others depend on.
    """
    landed: list[Claim] = []
    for shared, group in _alike(values):
        for part in in_parts(group):
            found = tx.execute(statement, {**shared, "seqs": [held.job_seq for held in part]})
            rows = found.all()
            seqs = {row.seq for row in rows}
            if awaited is not None:
                awaited += dependencies.awaited(rows)
            landed += [held for held in part if held.job_seq in seqs]
    return landed


def _alike(values: Mapping[Claim, Mapping[str, Any]]) -> Iterator[tuple[dict[str, Any], list[Claim]]]:
    # What is the same need not have an order: an estimate may be unknown.
    groups: dict[tuple[tuple[str, Any], ...], list[Claim]] = {}
    for held, own in values.items():
        shared = {**own, "held_attempt": held.attempt, "held_token": held.token}
        groups.setdefault(tuple(sorted(shared.items(), key=itemgetter(0))), []).append(held)
    for same, group in groups.items():
        yield dict(same), group


def _experiment_row(job_seq: int, result: ExperimentRecord, runtime_id: str | None) -> dict[str, Any]:
    payload, run = result.payload, result.run
    return {
        "job_seq": job_seq,
        "position": result.position,
        "attempt": result.attempt,
        "name": payload.name,
        "shots": result.shots,
        "format": payload.format,
        "sha256": payload.sha256,
        "size_bytes": payload.size_bytes,
        "data": payload.data,
        "seed": None if run.seed is None else str(run.seed),  # up to 2^64 − 1, which no integer of SQLite's holds
        "method": run.method,
        "threads": run.threads,
        "time_taken_s": run.time_taken_s,
        "peak_rss_bytes": run.peak_rss_bytes,
        "runtime_id": runtime_id,
    }


def _array_rows(job_seq: int, result: ExperimentRecord) -> Iterator[dict[str, Any]]:
    for array in result.arrays:
        yield {
            "job_seq": job_seq,
            "position": result.position,
            "name": array.name,
            "format": array.format,
            "sha256": array.sha256,
            "size_bytes": array.size_bytes,
            "data": array.data,
        }
