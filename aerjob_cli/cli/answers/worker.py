"""Answers about the worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aerjob_cli.cli.answers.base import Answer, show_time, time_json
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.clock import to_datetime
from aerjob_cli.states import PENDING, Status
from aerjob_cli.store.records import WorkerRecord


@dataclass(frozen=True)
class LiveWorker:
    """A worker that runs, and the ids of the jobs it runs."""

    worker: WorkerRecord
    running: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        worker = self.worker
        return {
            "worker_id": worker.worker_id,
            "host": worker.host,
            "pid": worker.pid,
            "slots": worker.slots,
            "running_jobs": list(self.running),
            "draining": worker.drain_requested_us is not None,
            "aerjob_version": worker.aerjob_version,
            "qiskit_version": worker.qiskit_version,
            "aer_version": worker.aer_version,
            "started_at": time_json(to_datetime(worker.started_us)),
            "heartbeat_at": time_json(to_datetime(worker.heartbeat_us)),
        }

    def line(self) -> str:
        """Say in a line which worker it is and what it does."""
        worker = self.worker
        versions = [f"aerjob {worker.aerjob_version}"]
        if worker.qiskit_version is not None:
            versions.append(f"Qiskit {worker.qiskit_version}")
        if worker.aer_version is not None:
            versions.append(f"Aer {worker.aer_version}")
        return clean(
            f"worker {worker.worker_id}: pid {worker.pid}, {len(self.running)} of {worker.slots} slots busy, "
            f"{', '.join(versions)}, since {show_time(to_datetime(worker.started_us))}, "
            f"last heartbeat {show_time(to_datetime(worker.heartbeat_us))}"
            f"{', stopping' if worker.drain_requested_us is not None else ''}"
        )


@dataclass(frozen=True, kw_only=True)
class WorkerStatus(Answer):
    """The workers that run, and how many jobs are in each state that is not final."""

    workers: tuple[LiveWorker, ...]
    pending: dict[Status, int]

    def content(self) -> dict[str, Any]:
        return {
            "workers": [worker.as_json() for worker in self.workers],
            "jobs": {status.lower(): self.pending.get(status, 0) for status in Status if status in PENDING},
        }

    def lines(self) -> Iterator[str]:
        yield from (worker.line() for worker in self.workers)
        if not self.workers:
            yield "no worker runs"
        running, queued = self.pending.get(Status.RUNNING, 0), self.pending.get(Status.QUEUED, 0)
        unchecked = self.pending.get(Status.INITIALIZING, 0) + self.pending.get(Status.VALIDATING, 0)
        yield f"jobs: {running} running, {queued} queued, {unchecked} to be validated"


@dataclass(frozen=True, kw_only=True)
class WorkerChange(Answer):
    """What became of an order to start or to stop."""

    sentence: str
    outcome: str

    def content(self) -> dict[str, Any]:
        return {"outcome": self.outcome}

    def lines(self) -> Iterator[str]:
        yield clean(self.sentence)


@dataclass(frozen=True, kw_only=True)
class LogLines(Answer):
    """The last lines of the worker's log."""

    tail: tuple[str, ...]

    def content(self) -> dict[str, Any]:
        return {"lines": list(self.tail)}

    def lines(self) -> Iterator[str]:
        yield from map(clean, self.tail)
