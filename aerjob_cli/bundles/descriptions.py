"""What a bundle says of a job, as JSON: all of its record that is somebody's business.

Not in it are idempotency keys, commands for the end of a job, claims and processes: those mean something where it ran.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aerjob_cli.bundles.layout import array_path, circuits_path, result_path
from aerjob_cli.clock import to_datetime
from aerjob_cli.frozen import dataclass
from aerjob_cli.store.records import (
    DependencyRecord,
    EventRecord,
    JobRecord,
    PayloadRecord,
    RanExperiment,
    Runtime,
)


@dataclass(frozen=True, slots=True)
class Described:
    """A job with all that is known of it, but for bytes."""

    job: JobRecord
    payloads: Sequence[PayloadRecord]
    history: Sequence[EventRecord]
    results: Sequence[RanExperiment]
    runtimes: Mapping[str, Runtime]
    dependencies: Sequence[DependencyRecord]
    results_pruned_us: int | None = None
    circuits_pruned_us: int | None = None


def description_of(known: Described) -> dict[str, Any]:
    """Give it as JSON; the keys are those of docs/bundles.md."""
    job = known.job
    return {
        "job_id": job.job_id,
        "status": job.status,
        "reason": job.reason,
        "message": job.message,
        "stderr_tail": job.stderr_tail,
        "error_line": job.error_line,
        "error_column": job.error_column,
        "name": job.name,
        "tags": list(job.tags),
        "group": job.group_name,
        "backend": job.backend,
        "method": job.method,
        "shots": job.shots,
        "seed": job.seed,
        "memory": job.memory,
        "options": dict(job.options),
        "metadata": dict(job.metadata),
        "counts_required": job.counts_required,
        "priority": job.priority,
        "time_limit_s": job.time_limit_s,
        "max_memory_mb": job.max_memory_mb,
        "max_attempts": job.max_attempts,
        "submitted_at": time_text(job.submitted_us),
        "submitted_by": dict(job.submitted_by),
        "started_at": time_text(job.started_us),
        "finished_at": time_text(job.finished_us),
        "cancel_requested_at": time_text(job.cancel_requested_us),
        "cancel_message": job.cancel_message,
        "retry_of": job.retry_of,
        "reused_from": job.reused_from,
        "dependencies": [{"kind": item.kind, "job_id": item.job_id} for item in known.dependencies],
        "experiments_total": job.experiments_total,
        "experiments_done": job.experiments_done,
        "threads": job.threads,
        "estimated_memory_bytes": job.estimated_bytes,
        "validations": job.validations,
        "attempt": job.attempt,
        "attempts_charged": job.attempts_charged,
        "engine": job.engine,
        "results_pruned_at": time_text(known.results_pruned_us),
        "circuits_pruned_at": time_text(known.circuits_pruned_us),
        "circuits": list(_circuits(job.job_id, known.payloads)),
        "results": [_result(job.job_id, item) for item in known.results],
        "history": [_event(event) for event in known.history],
        "runtimes": {name: dict(runtime.facts) for name, runtime in sorted(known.runtimes.items())},
    }


def time_text(time_us: int | None) -> str | None:
    """Write a time in UTC as ``2026-01-31T12:00:00.000000Z``."""
    if time_us is None:
        return None
    return to_datetime(time_us).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _circuits(job_id: str, payloads: Iterable[PayloadRecord]) -> Iterable[dict[str, Any]]:
    for position, item in enumerate(payloads):
        path = circuits_path(job_id, position, item.format)
        yield {"name": item.name, "format": item.format, **_file(path, item.sha256, item.size_bytes)}


def _result(job_id: str, item: RanExperiment) -> dict[str, Any]:
    return {
        "position": item.position,
        "attempt": item.attempt,
        "name": item.name,
        "shots": item.shots,
        "format": item.format,
        **_file(result_path(job_id, item.position), item.sha256, item.size_bytes),
        "seed": item.run.seed,
        "method": item.run.method,
        "threads": item.run.threads,
        "time_taken_s": item.run.time_taken_s,
        "peak_rss_bytes": item.run.peak_rss_bytes,
        "runtime_id": item.runtime_id,
        "arrays": [
            {
                "name": array.name,
                "format": array.format,
                **_file(array_path(job_id, item.position, array.name), array.sha256, array.size_bytes),
            }
            for array in item.arrays
        ],
    }


def _file(path: str, sha256: str, size_bytes: int) -> dict[str, Any]:
    return {"path": path, "sha256": sha256, "size_bytes": size_bytes}


def _event(event: EventRecord) -> dict[str, Any]:
    return {
        "at": time_text(event.at_us),
        "from_status": event.from_status,
        "to_status": event.to_status,
        "attempt": event.attempt,
        "worker_id": event.worker_id,
        "why": event.why,
        "runtime_id": event.runtime_id,
    }
