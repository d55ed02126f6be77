"""Writing jobs that have ended into a bundle, each with all that the store has of it, verified on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING

from aerjob_cli.api.matched import Meant, latest
from aerjob_cli.bundles.descriptions import Described, description_of, time_text
from aerjob_cli.bundles.layout import array_path, circuits_path, job_path, result_path
from aerjob_cli.bundles.writing import BundleWriter
from aerjob_cli.errors import JobNotFinal, JobNotFound, PayloadDamaged
from aerjob_cli.store import dependencies, events, experiments, imports, jobs, large_objects, runtimes, submissions
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import JobRecord, Payload, PayloadRecord
from aerjob_cli.version import __version__

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Told how many jobs are written, of how many.
OnWritten = Callable[[int, int], None]


def exportable(store: Store, meant: Meant) -> list[JobRecord]:
    """Give the jobs that can be exported now, the first submitted first; raises ``JobNotFinal`` or ``JobNotFound``."""
    with store.reading_directly() as tx:
        found = latest(tx, meant)
    pending = [record for record in found if not record.status.is_final]
    if pending:
        raise JobNotFinal([record.job_id for record in pending], [record.status for record in pending], "exported")
    return sorted(found, key=lambda record: record.seq)


def export(store: Store, records: list[JobRecord], file: IO[bytes], *, on_written: OnWritten) -> None:
    """Write a bundle of jobs that have ended; raises ``PayloadDamaged``, or ``JobNotFound`` where one was deleted."""
    writer = BundleWriter(file)
    try:
        for written, record in enumerate(records, start=1):
            # A transaction for each: one for all would keep the database's log from being cleared.
            with store.reading_directly() as tx:
                _write_job(tx, store, record, writer)
            on_written(written, len(records))
    except BaseException:
        writer.abandon()
        raise
    writer.finish(
        {
            "created_at": time_text(store.now_us()),
            "aerjob": __version__,
            "host": os.uname().nodename,
            "store_uuid": store.uuid,
        }
    )


def _write_job(tx: Connection, store: Store, record: JobRecord, writer: BundleWriter) -> None:
    # Its tags may have changed, and it may be gone.
    job = jobs.find(tx, record.job_id)
    seq, job_id = job.seq, job.job_id
    payloads = submissions.payloads_of(tx, seq)
    history = events.history(tx, seq)
    results = list(experiments.runs_of(tx, seq))
    used = [event.runtime_id for event in history] + [item.runtime_id for item in results]
    pruned = imports.prunings_of(tx, [seq]).get(seq, (None, None))
    known = Described(
        job=job,
        payloads=[PayloadRecord(item.name, item.format, item.sha256, item.size_bytes) for item in payloads],
        history=history,
        results=results,
        runtimes=runtimes.known_of(tx, {name for name in used if name is not None}),
        dependencies=dependencies.of_job(tx, seq),
        results_pruned_us=pruned[0],
        circuits_pruned_us=pruned[1],
    )
    writer.add_job(job_id, job_path(job_id), description_of(known))
    try:
        for path, payload in _files(tx, job_id, seq, payloads):
            parts = large_objects.parts(store.paths, payload, verified_first=False)
            if payload.data is None:
                writer.add_parts(path, parts, payload.size_bytes)
            else:
                writer.add(path, b"".join(parts))
    except PayloadDamaged:
        # Its file may have gone with the job, since the row was read.
        with store.reading_directly() as now:
            jobs.find(now, job_id)
        raise


def _files(tx: Connection, job_id: str, seq: int, payloads: list[Payload]) -> Iterator[tuple[str, Payload]]:
    """Give what a job was submitted with, its results and their arrays, each with its place in the bundle."""
    for position, payload in enumerate(payloads):
        yield circuits_path(job_id, position, payload.format), payload
    for stored in experiments.results_of(tx, seq):
        yield result_path(job_id, stored.position), stored.payload
        for known in stored.arrays:
            array = experiments.array_of(tx, seq, stored.position, known.name)
            if array is None:
                raise JobNotFound(job_id)
            yield array_path(job_id, stored.position, known.name), array
