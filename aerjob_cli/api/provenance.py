"""Where a job's result comes from: what it was made of, how each experiment was run, and with which versions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Status
from aerjob_cli.store import events, experiments, runtimes, submissions
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import EventRecord, JobRecord, PayloadRecord, RanExperiment, RunSummary

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at running a job. ``runtime`` has names and versions, and is None where nobody told."""

    attempt: int
    runtime: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known of how a job's results came to be.

    ``options_sha256`` is of all that decides about the results beside the circuits: two jobs that have it and the
    circuits in common are asked for the same. ``experiments`` are those that have a result, without its bytes.
    """

    job_id: str
    engine: str | None
    options_sha256: str
    circuits: tuple[PayloadRecord, ...]
    attempts: tuple[Attempt, ...]
    methods: tuple[str, ...]
    time_taken_s: float | None
    peak_rss_bytes: int | None
    experiments: tuple[RanExperiment, ...] = ()


def provenance_of(store: Store, record: JobRecord) -> Provenance:
    """Read all of it at one instant, how each experiment was run included."""
    with store.reading_directly() as tx:
        return read_provenance(tx, record, events.history(tx, record.seq), with_experiments=True)


def read_provenance(
    tx: Connection, record: JobRecord, history: Iterable[EventRecord], *, with_experiments: bool
) -> Provenance:
    """Read it beside other things; ``history`` is the job's, and how each experiment was run may be left out."""
    summary = experiments.summary_of(tx, record.seq)
    return Provenance(
        job_id=record.job_id,
        engine=record.engine,
        options_sha256=options_sha256(record),
        circuits=tuple(submissions.files_of(tx, record.seq)),
        attempts=_attempts(tx, history, summary),
        methods=summary.methods,
        time_taken_s=summary.time_taken_s,
        peak_rss_bytes=summary.peak_rss_bytes,
        experiments=tuple(experiments.runs_of(tx, record.seq)) if with_experiments else (),
    )


def options_sha256(record: JobRecord) -> str:
    """Compute the SHA-256 of what a job was asked for beside its circuits, as JSON with sorted keys and no spaces."""
    asked = {
        "backend": record.backend,
        "method": record.method,
        "shots": record.shots,
        "seed": record.seed,
        "memory": record.memory,
        "options": dict(record.options),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _attempts(tx: Connection, history: Iterable[EventRecord], summary: RunSummary) -> tuple[Attempt, ...]:
    """Give each attempt with its runtime: of the results that it left, or of its end when it left none."""
    ids: dict[int, str | None] = {}
    for event in history:
        if event.to_status is Status.RUNNING:
            ids[event.attempt] = None
        elif event.from_status is Status.RUNNING:
            ids[event.attempt] = event.runtime_id
    # An attempt is one process, which runs with one thing.
    ids |= {attempt: found[0] for attempt, found in summary.runtime_ids.items()}
    known = runtimes.known_of(tx, [runtime_id for runtime_id in ids.values() if runtime_id is not None])
    return tuple(
        Attempt(attempt, known[runtime_id].facts if runtime_id is not None and runtime_id in known else None)
        for attempt, runtime_id in sorted(ids.items())
    )
