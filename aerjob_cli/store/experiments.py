"""The stored results of experiments: which are there, their bytes, and how they came to be."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from aerjob_cli.store.columns import complete
from aerjob_cli.store.records import ArrayRecord, Payload, RanExperiment, RunFacts, RunSummary, StoredExperiment
from aerjob_cli.store.tables import experiment_arrays, experiments, jobs

# Each row can have 256 KiB with it.
_ROWS_AT_ONCE = 100
_NEEDED = ("name", "format", "sha256", "size_bytes")

# Built once: to build a statement, and to find its compiled form, takes longer than to run it.
_OF_JOB = select(experiments).where(experiments.c.job_seq == bindparam("seq")).order_by(experiments.c.position)
_POSITIONS_OF_JOB = (
    select(experiments.c.position).where(experiments.c.job_seq == bindparam("seq")).order_by(experiments.c.position)
)
_LAST_OF_JOB = select(func.max(experiments.c.position)).where(experiments.c.job_seq == bindparam("seq"))
_DONE_OF_JOB = select(jobs.c.experiments_done).where(jobs.c.seq == bindparam("seq"))
_SOME_OF_JOB = _OF_JOB.where(experiments.c.position.in_(bindparam("positions", expanding=True)))
_ARRAY = select(experiment_arrays).where(
    experiment_arrays.c.job_seq == bindparam("seq"),
    experiment_arrays.c.position == bindparam("at"),
    experiment_arrays.c.name == bindparam("name"),
)
_ARRAYS = (
    select(experiment_arrays)
    .where(experiment_arrays.c.job_seq == bindparam("seq"), experiment_arrays.c.position == bindparam("at"))
    .order_by(experiment_arrays.c.name)
)
_ARRAYS_BETWEEN = (
    select(
        experiment_arrays.c.position,
        experiment_arrays.c.name,
        experiment_arrays.c.format,
        experiment_arrays.c.sha256,
        experiment_arrays.c.size_bytes,
    )
    .where(
        experiment_arrays.c.job_seq == bindparam("seq"),
        experiment_arrays.c.position.between(bindparam("first"), bindparam("last")),
    )
    .order_by(experiment_arrays.c.position, experiment_arrays.c.name)
)


def missing_ranges(tx: Connection, job_seq: int, total: int) -> list[tuple[int, int]]:
    """Give the half-open ranges of positions from 0 to ``total`` that have no result yet.

    Of a job that has not begun, or was interrupted as it went from one to the next, the results are not read.
    """
    last = tx.execute(_LAST_OF_JOB, {"seq": job_seq}).scalar()
    if last is None:
        return [(0, total)] if total else []
    if tx.execute(_DONE_OF_JOB, {"seq": job_seq}).scalar() == last + 1:
        return [(last + 1, total)] if last + 1 < total else []
    ranges = []
    start = 0
    for position in tx.execute(_POSITIONS_OF_JOB, {"seq": job_seq}).scalars():
        if position > start:
            ranges.append((start, position))
        start = position + 1
    if start < total:
        ranges.append((start, total))
    return ranges


def results_of(tx: Connection, job_seq: int, *, positions: Collection[int] | None = None) -> Iterator[StoredExperiment]:
    """Give the stored results of a job in the order of its experiments, or only those at ``positions``."""
    if positions is None:
        answers = iter([tx.execute(_OF_JOB, {"seq": job_seq})])
    else:
        wanted = sorted(set(positions))
        groups = (wanted[start : start + _ROWS_AT_ONCE] for start in range(0, len(wanted), _ROWS_AT_ONCE))
        answers = (tx.execute(_SOME_OF_JOB, {"seq": job_seq, "positions": group}) for group in groups)
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
    columns = experiments.c
    query = (
        select(*(column for column in columns if column.name not in ("job_seq", "data")))
        .where(columns.job_seq == job_seq)
        .order_by(columns.position)
    )
    for rows in tx.execute(query).partitions(_ROWS_AT_ONCE):
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
    columns = experiments.c
    # All of it in one reading: with the results beside them, these columns lie far apart.
    query = (
        select(
            columns.attempt,
            columns.method,
            columns.runtime_id,
            func.count().label("total"),
            func.count(columns.time_taken_s).label("timed"),
            func.sum(columns.time_taken_s).label("time_taken_s"),
            func.count(columns.peak_rss_bytes).label("weighed"),
            func.max(columns.peak_rss_bytes).label("peak_rss_bytes"),
        )
        .where(columns.job_seq == job_seq)
        .group_by(columns.attempt, columns.method, columns.runtime_id)
    )
    kinds = tx.execute(query).all()
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
    row = tx.execute(_ARRAY, {"seq": job_seq, "at": position, "name": name}).one_or_none()
    return None if row is None else _payload(row)


def arrays_of(tx: Connection, job_seq: int, position: int) -> list[Payload]:
    """Give all arrays of a stored result, by name; the bytes of large ones are in the object folder."""
    return [_payload(row) for row in tx.execute(_ARRAYS, {"seq": job_seq, "at": position})]


def _arrays_between(tx: Connection, job_seq: int, first: int, last: int) -> dict[int, list[ArrayRecord]]:
    """Give what is known of the arrays from one position to another. Their bytes, which may be many, are not read."""
    found: dict[int, list[ArrayRecord]] = {}
    for row in tx.execute(_ARRAYS_BETWEEN, {"seq": job_seq, "first": first, "last": last}):
        complete(row, _NEEDED)
        position, *fields = row
        found.setdefault(position, []).append(ArrayRecord(*fields))
    return found


def _payload(row: Row[Any]) -> Payload:
    complete(row, _NEEDED)
    return Payload(name=row.name, format=row.format, sha256=row.sha256, size_bytes=row.size_bytes, data=row.data)
