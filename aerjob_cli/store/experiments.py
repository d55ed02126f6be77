"""The stored results of experiments: which are there, and their bytes."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from aerjob_cli.store.records import ExperimentRecord, Payload
from aerjob_cli.store.tables import experiments


def missing_ranges(tx: Connection, job_seq: int, total: int) -> list[tuple[int, int]]:
    """Give the half-open ranges of positions from 0 to ``total`` that have no result yet."""
    query = select(experiments.c.position).where(experiments.c.job_seq == job_seq).order_by(experiments.c.position)
    ranges = []
    start = 0
    for position in tx.execute(query).scalars():
        if position > start:
            ranges.append((start, position))
        start = position + 1
    if start < total:
        ranges.append((start, total))
    return ranges


def results_of(tx: Connection, job_seq: int) -> Iterator[ExperimentRecord]:
    """Give the stored results of a job in the order of its experiments."""
    query = select(experiments).where(experiments.c.job_seq == job_seq).order_by(experiments.c.position)
    for row in tx.execute(query):
        payload = Payload(name=row.name, format=row.format, sha256=row.sha256, size_bytes=row.size_bytes, data=row.data)
        yield ExperimentRecord(position=row.position, attempt=row.attempt, shots=row.shots, payload=payload)
