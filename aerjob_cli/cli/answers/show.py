"""All that is known of one job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from aerjob_cli.api.dossiers import Dossier
from aerjob_cli.cli.answers.base import Answer, show_time, time_json
from aerjob_cli.cli.answers.provenance import experiment_json, experiment_row, provenance_facts, provenance_json
from aerjob_cli.cli.answers.status import JobState
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.columns import progress
from aerjob_cli.cli.durations import show_duration
from aerjob_cli.cli.live.figures import size_text
from aerjob_cli.clock import to_datetime
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Status
from aerjob_cli.store.end_commands import EndCommandRecord
from aerjob_cli.store.records import EventRecord, Pruning, RanExperiment, WorkerRecord

_MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class JobView(Answer):
    """A job with its files, its history and where it came from."""

    screen: ClassVar[str | None] = "show"

    dossier: Dossier
    state: JobState
    now_us: int
    # Whether it was asked how each experiment was run.
    has_experiments: bool = False

    @property
    def experiments(self) -> tuple[RanExperiment, ...]:
        """How the experiments were run that have a result, if that was asked for."""
        return self.dossier.provenance.experiments

    @property
    def queued_s(self) -> float | None:
        """How long it has waited for a slot, in seconds."""
        return self.dossier.seconds_in(Status.QUEUED, now_us=self.now_us)

    @property
    def ran_s(self) -> float | None:
        """How long attempts at it have run, in seconds."""
        return self.dossier.seconds_in(Status.RUNNING, now_us=self.now_us)

    def content(self) -> dict[str, Any]:
        job, known = self.dossier.job, self.dossier
        return self.state.as_json() | {
            "queued_s": self.queued_s,
            "ran_s": self.ran_s,
            "error_line": job.error_line,
            "error_column": job.error_column,
            "stderr_tail": job.stderr_tail,
            "memory": job.memory,
            "options": dict(job.options),
            "metadata": dict(job.metadata),
            "priority": job.priority,
            "time_limit_s": job.time_limit_s,
            "max_memory_mb": job.max_memory_mb,
            "max_attempts": job.max_attempts,
            "threads": job.threads,
            "estimated_memory_bytes": job.estimated_bytes,
            "engine": job.engine,
            "retry_of": job.retry_of,
            "retries": list(known.retries),
            "dependencies": [
                {"kind": item.kind, "job_id": item.job_id, "status": item.status} for item in known.dependencies
            ],
            "end_command": _end_command_json(known.end_command),
            "submitted_by": dict(job.submitted_by),
            "results_pruned_at": _time_json(known.pruning.results_us),
            "circuits_pruned_at": _time_json(known.pruning.circuits_us),
            "circuits": [
                {"name": file.name, "format": file.format, "size_bytes": file.size_bytes, "sha256": file.sha256}
                for file in known.files
            ],
            "history": [_event_json(event) for event in known.history],
            "workers": [_worker_json(worker) for worker in known.workers],
            "provenance": provenance_json(known.provenance),
            **({"experiments": [experiment_json(item) for item in self.experiments]} if self.has_experiments else {}),
        }

    def lines(self) -> Iterator[str]:
        yield from (f"{label}\t{value}" for label, value in self.facts())
        yield from ("\t".join(("circuits", *row)) for row in self.files())
        yield from ("\t".join(("experiment", *experiment_row(item))) for item in self.experiments)
        yield from ("\t".join(("history", *row)) for row in self.events())
        yield from (f"stderr\t{line}" for line in self.stderr())

    def facts(self) -> list[tuple[str, str]]:
        """Give what there is to say in a few words, labelled and clean; what the job has not is left out."""
        job = self.dossier.job
        known: list[tuple[str, object]] = [
            ("job", job.job_id),
            ("status", job.status),
            ("reason", job.reason),
            ("message", job.message),
            ("place", _place(job.error_line, job.error_column)),
            ("now", None if job.status.is_final else self.state.what_matters()),
            ("name", job.name),
            ("tags", ", ".join(job.tags) or None),
            ("group", job.group_name),
            ("backend", job.backend),
            ("method", job.method),
            ("shots", job.shots),
            ("seed", job.seed),
            ("memory", "the outcome of each shot is kept" if job.memory else None),
            ("options", _json(job.options)),
            ("experiments", progress(job)),
            ("attempt", f"{job.attempt}, {job.max_attempts} allowed" if job.attempt else None),
            ("priority", job.priority or None),
            ("time limit", None if job.time_limit_s is None else show_duration(job.time_limit_s)),
            ("memory limit", None if job.max_memory_mb is None else size_text(job.max_memory_mb * _MIB)),
            ("threads", job.threads),
            ("estimate", None if job.estimated_bytes is None else f"{size_text(job.estimated_bytes)} of memory"),
            ("submitted", show_time(job.submitted_at)),
            ("started", None if job.started_at is None else show_time(job.started_at)),
            ("finished", None if job.finished_at is None else show_time(job.finished_at)),
            ("imported", None if job.imported_at is None else show_time(job.imported_at)),
            ("queued for", _duration(self.queued_s)),
            ("ran for", _duration(self.ran_s)),
            *(("depends on", f"{item.kind} {item.job_id}, {item.status}") for item in self.dossier.dependencies),
            ("retry of", job.retry_of),
            ("reused from", job.reused_from),
            ("pruned", _pruned(self.dossier.pruning)),
            ("retried as", ", ".join(self.dossier.retries) or None),
            ("on end", job.on_end),
            ("its command", None if job.on_end is None else _end_command(self.dossier.end_command)),
            ("submitted by", _origin(job.submitted_by)),
            ("engine", job.engine),
            *(("worker", _worker(worker)) for worker in self.dossier.workers),
            *provenance_facts(self.dossier.provenance),
            ("metadata", _json(job.metadata)),
        ]
        return [(label, clean(str(value))) for label, value in known if value is not None]

    def files(self) -> Iterator[tuple[str, ...]]:
        """Give each file that it was submitted with: number, name, format, size and checksum, clean."""
        for number, file in enumerate(self.dossier.files):
            yield str(number), clean(file.name), clean(file.format), f"{file.size_bytes} bytes", file.sha256

    def events(self) -> Iterator[tuple[str, ...]]:
        """Give each move: when, to which state, in which attempt, by which worker and why, clean."""
        for event in self.dossier.history:
            attempt = str(event.attempt) if event.attempt else ""
            yield show_time(event.at), str(event.to_status), attempt, clean(event.worker_id or ""), clean(event.why)

    def stderr(self) -> list[str]:
        """Give the last lines that its process wrote on stderr, clean."""
        return [clean(line) for line in (self.dossier.job.stderr_tail or "").splitlines()]


def _event_json(event: EventRecord) -> dict[str, Any]:
    return {
        "at": time_json(event.at),
        "from_status": event.from_status,
        "to_status": event.to_status,
        "attempt": event.attempt,
        "worker_id": event.worker_id,
        "why": event.why,
    }


def _end_command_json(known: EndCommandRecord | None) -> dict[str, Any] | None:
    if known is None:
        return None
    return {
        "begun_at": time_json(known.begun_at),
        "finished_at": time_json(known.finished_at),
        "outcome": known.outcome,
        "worker_id": known.worker_id,
    }


def _end_command(known: EndCommandRecord | None) -> str:
    if known is None:
        return "will be run when the job has ended"
    if known.begun_at is None:
        return "waits for a worker"
    if known.finished_at is None:
        return f"began {show_time(known.begun_at)}, and has not ended as far as anybody has noted"
    return f"{known.outcome}, {show_time(known.finished_at)}"


def _worker_json(worker: WorkerRecord) -> dict[str, Any]:
    return {
        "worker_id": worker.worker_id,
        "host": worker.host,
        "aerjob_version": worker.aerjob_version,
        "qiskit_version": worker.qiskit_version,
        "aer_version": worker.aer_version,
        "started_at": time_json(to_datetime(worker.started_us)),
    }


def _worker(worker: WorkerRecord) -> str:
    versions = [
        f"{name} {version}"
        for name, version in (
            ("aerjob", worker.aerjob_version),
            ("Qiskit", worker.qiskit_version),
            ("Aer", worker.aer_version),
        )
        if version is not None
    ]
    return f"{worker.worker_id} on {worker.host}, {', '.join(versions)}"


def _origin(origin: Mapping[str, str]) -> str | None:
    if not origin:
        return None  # a job of the first schema
    told = f"aerjob {origin.get('aerjob', '?')}, Python {origin.get('python', '?')} on {origin.get('host', '?')}"
    return f"{told} in {origin['folder']}" if "folder" in origin else told


def _time_json(time_us: int | None) -> str | None:
    return None if time_us is None else time_json(to_datetime(time_us))


def _pruned(pruning: Pruning) -> str | None:
    removed = (("results", pruning.results_us), ("circuits", pruning.circuits_us))
    told = (f"{what} at {show_time(to_datetime(at_us))}" for what, at_us in removed if at_us is not None)
    return ", ".join(told) or None


def _place(line: int | None, column: int | None) -> str | None:
    if line is None:
        return None
    return f"line {line}" if column is None else f"line {line}, column {column}"


def _duration(seconds: float | None) -> str | None:
    return None if seconds is None else show_duration(round(seconds, 3))


def _json(value: Mapping[str, Any]) -> str | None:
    return json.dumps(dict(value), ensure_ascii=False) if value else None
