"""The stored results of experiments: which are there, their bytes, and how they came to be."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import ArrayRecord, Payload, RanExperiment, RunFacts, RunSummary, StoredExperiment
from aerjob_cli.store.values import complete

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from aerjob_cli.store.statements import experiments as statements
else:
    statements = prepared("experiments")

# Each row can have 256 KiB with it.
_ROWS_AT_ONCE = 100
_NEEDED = ("name", "format", "sha256", "size_bytes")


def missing_ranges(tx: Connection, job_seq: int, total: int) -> list[tuple[int, int]]:
    """Give the half-open ranges of positions from 0 to ``total`` that have no result yet.

    Of a job that has not begun, or was interrupted as it went from one to the next, the results are not read.
    """
    last = tx.execute(statements.LAST_OF_JOB, {"seq": job_seq}).scalar()
    if last is None:
        return [(0, total)] if total else []
    if tx.execute(statements.DONE_OF_JOB, {"seq": job_seq}).scalar() == last + 1:
        return [(last + 1, total)] if last + 1 < total else []
    ranges = []
    start = 0
    for position in tx.execute(statements.POSITIONS_OF_JOB, {"seq": job_seq}).scalars():
        if position > start:
            ranges.append((start, position))
        start = position + 1
    if start < total:
        ranges.append((start, total))
    return ranges


def results_of(tx: Connection, job_seq: int, *, positions: Collection[int] | None = None) -> Iterator[StoredExperiment]:
    """Give the stored results of a job in the order of its experiments, or only those at ``positions``."""
    if positions is None:
        answers = iter([tx.execute(statements.OF_JOB, {"seq": job_seq})])
    else:
        wanted = sorted(set(positions))
        groups = (wanted[start : start + _ROWS_AT_ONCE] for start in range(0, len(wanted), _ROWS_AT_ONCE))
        answers = (tx.execute(statements.SOME_OF_JOB, {"seq": job_seq, "positions": group}) for group in groups)
    for rows in (rows for answer in answers for rows in answer.partitions(_ROWS_AT_ONCE)):
        arrays = _arrays_between(tx, job_seq, rows[0].position, rows[-1].position)
        for row in rows:
            complete(row, ("position", "attempt", "shots"))
            yield StoredExperiment(
                position=row.position,
                attempt=row.attempt,
                shots=row.shots,
                payload=_payload(row),
                arrays=tuple(arrays.get(row.position, ())),
            )


def runs_of(tx: Connection, job_seq: int) -> Iterator[RanExperiment]:
    """Say how the stored results of a job came to be, in the order of its experiments, without reading the bytes."""
    for rows in tx.execute(statements.RUNS_OF_JOB, {"seq": job_seq}).partitions(_ROWS_AT_ONCE):
        arrays = _arrays_between(tx, job_seq, rows[0].position, rows[-1].position)
        for row in rows:
            complete(row, ("position", "attempt", "shots", *_NEEDED))
            yield RanExperiment(
                position=row.position,
                attempt=row.attempt,
                name=row.name,
                shots=row.shots,
                format=row.format,
                sha256=row.sha256,
                size_bytes=row.size_bytes,
                runtime_id=row.runtime_id,
                run=RunFacts(
                    seed=row.seed,
                    method=row.method,
                    threads=row.threads,
                    time_taken_s=row.time_taken_s,
                    peak_rss_bytes=row.peak_rss_bytes,
                ),
                arrays=tuple(arrays.get(row.position, ())),
            )


def summary_of(tx: Connection, job_seq: int) -> RunSummary:
    """Sum up how the stored results of a job came to be."""
    kinds = tx.execute(statements.KINDS_OF_JOB, {"seq": job_seq}).all()
    runtime_ids: dict[int, tuple[str, ...]] = {}
    for attempt, runtime_id in sorted({(row.attempt, row.runtime_id) for row in kinds if row.runtime_id is not None}):
        runtime_ids[attempt] = (*runtime_ids.get(attempt, ()), runtime_id)
    return RunSummary(
        methods=tuple(sorted({row.method for row in kinds if row.method is not None})),
        time_taken_s=(
            sum(row.time_taken_s for row in kinds) if kinds and all(row.timed == row.total for row in kinds) else None
        ),
        peak_rss_bytes=(
            max(row.peak_rss_bytes for row in kinds)
            if kinds and all(row.weighed == row.total for row in kinds)
            else None
        ),
        runtime_ids=runtime_ids,
    )


def array_of(tx: Connection, job_seq: int, position: int, name: str) -> Payload | None:
    """Give one array of a stored result, or None where there is none."""
    row = tx.execute(statements.ARRAY, {"seq": job_seq, "at": position, "named": name}).one_or_none()
    return None if row is None else _payload(row)


def arrays_of(tx: Connection, job_seq: int, position: int) -> list[Payload]:
    """Give all arrays of a stored result, by name; the bytes of large ones are in the object folder."""
    return [_payload(row) for row in tx.execute(statements.ARRAYS, {"seq": job_seq, "at": position})]


def _arrays_between(tx: Connection, job_seq: int, first: int, last: int) -> dict[int, list[ArrayRecord]]:
    """Give what is known of the arrays from one position to another. Their bytes, which may be many, are not read."""
    found: dict[int, list[ArrayRecord]] = {}
    for row in tx.execute(statements.ARRAYS_BETWEEN, {"seq": job_seq, "first": first, "last": last}):
        complete(row, _NEEDED)
        position, *fields = row
        found.setdefault(position, []).append(ArrayRecord(*fields))
    return found


def _payload(row: Row[Any]) -> Payload:
    complete(row, _NEEDED)
    return Payload(name=row.name, format=row.format, sha256=row.sha256, size_bytes=row.size_bytes, data=row.data)
