"""Answers about the worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from aerjob_cli.cli.answers.base import Answer, show_time, time_json
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.plurals import count_of
from aerjob_cli.cli.sizes import show_size
from aerjob_cli.clock import to_datetime
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import PENDING, Status
from aerjob_cli.store.records import WorkerRecord


@dataclass(frozen=True)
class ProcessMemory:
    """A process of the worker, and its resident memory where the system tells. Shared pages count in each process."""

    pid: int
    role: str  # worker, template or executor
    rss_bytes: int | None


@dataclass(frozen=True)
class LiveWorker:
    """A worker that runs, the ids of the jobs it runs, its processes, and the age of its last heartbeat."""

    worker: WorkerRecord
    running: tuple[str, ...]
    processes: tuple[ProcessMemory, ...] = ()
    heartbeat_age_s: float | None = None

    @property
    def busy(self) -> int:
        """How many of its slots are; more jobs than that have been sent ahead, and wait for a moment."""
        return min(len(self.running), self.worker.slots)

    @property
    def is_draining(self) -> bool:
        return self.worker.drain_requested_us is not None

    @property
    def rss_bytes(self) -> int | None:
        """The memory of all its processes together, None where the system does not tell."""
        known = [process.rss_bytes for process in self.processes if process.rss_bytes is not None]
        return sum(known) if known else None

    def as_json(self) -> dict[str, Any]:
        worker = self.worker
        return {
            "worker_id": worker.worker_id,
            "host": worker.host,
            "pid": worker.pid,
            "slots": worker.slots,
            "running_jobs": list(self.running),
            "draining": self.is_draining,
            "aerjob_version": worker.aerjob_version,
            "qiskit_version": worker.qiskit_version,
            "aer_version": worker.aer_version,
            "started_at": time_json(to_datetime(worker.started_us)),
            "heartbeat_at": time_json(to_datetime(worker.heartbeat_us)),
            "rss_bytes": self.rss_bytes,
            "processes": [vars(process) for process in self.processes],
        }

    def versions(self) -> str:
        """List the versions of what it runs."""
        worker = self.worker
        known = (("aerjob", worker.aerjob_version), ("Qiskit", worker.qiskit_version), ("Aer", worker.aer_version))
        return ", ".join(f"{name} {version}" for name, version in known if version is not None)

    def line(self) -> str:
        """Say in a line which worker it is and what it does."""
        worker = self.worker
        ahead = len(self.running) - self.busy
        behind = f" and {count_of(ahead, 'job')} sent ahead" if ahead else ""
        memory = "" if self.rss_bytes is None else f", memory {show_size(self.rss_bytes)}"
        return clean(
            f"worker {worker.worker_id}: pid {worker.pid}, {self.busy} of {worker.slots} slots busy{behind}, "
            f"{self.versions()}, since {show_time(to_datetime(worker.started_us))}, "
            f"last heartbeat {show_time(to_datetime(worker.heartbeat_us))}{memory}"
            f"{', stopping' if self.is_draining else ''}"
        )


@dataclass(frozen=True)
class ServiceStanding:
    """The service of a store: whether it starts by itself, and whether the worker that runs is it.

    ``is_running`` is None where the system does not say.
    """

    name: str
    manager: str
    path: str
    is_enabled: bool
    is_running: bool | None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "manager": self.manager,
            "path": self.path,
            "enabled": self.is_enabled,
            "running": self.is_running,
        }

    def state(self) -> str:
        """Say how it stands, in a few words."""
        enabled = "enabled" if self.is_enabled else "not enabled"
        running = {True: ", runs the worker", False: ", does not run", None: ""}[self.is_running]
        return f"{enabled}{running}"


@dataclass(frozen=True, kw_only=True)
class WorkerStatus(Answer):
    """The workers that run, the service, and how many jobs are in each state that is not final."""

    screen = "worker"

    workers: tuple[LiveWorker, ...]
    pending: dict[Status, int]
    service: ServiceStanding | None
    now_us: int

    def content(self) -> dict[str, Any]:
        return {
            "workers": [worker.as_json() for worker in self.workers],
            "jobs": {status.lower(): self.pending.get(status, 0) for status in Status if status in PENDING},
            "service": None if self.service is None else self.service.as_json(),
        }

    def lines(self) -> Iterator[str]:
        yield from (worker.line() for worker in self.workers)
        if not self.workers:
            yield "no worker runs"
        yield f"jobs: {self.jobs()}"
        if self.service is not None:
            yield clean(f"service {self.service.name}: {self.service.state()}, {self.service.path}")

    def jobs(self) -> str:
        """Count the jobs that have not ended."""
        running, queued = self.pending.get(Status.RUNNING, 0), self.pending.get(Status.QUEUED, 0)
        unchecked = self.pending.get(Status.INITIALIZING, 0) + self.pending.get(Status.VALIDATING, 0)
        return f"{running} running, {queued} queued, {unchecked} to be validated"


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
class ServiceChange(Answer):
    """What became of an order to enable or to disable the service, and what may still be done by hand."""

    sentence: str
    service: str
    path: str
    outcome: str
    started: bool
    hints: tuple[str, ...]

    def content(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "path": self.path,
            "outcome": self.outcome,
            "started": self.started,
            "hints": list(self.hints),
        }

    def lines(self) -> Iterator[str]:
        yield from map(clean, (self.sentence, *self.hints))


@dataclass(frozen=True, kw_only=True)
class ServiceFile(ServiceChange):
    """The file that would describe the service; nothing is written."""

    text: str

    def content(self) -> dict[str, Any]:
        return {**super().content(), "text": self.text}

    def lines(self) -> Iterator[str]:
        yield from map(clean, self.text.splitlines())


@dataclass(frozen=True, kw_only=True)
class LogLines(Answer):
    """Lines of the worker's log. ``elsewhere`` is the command that shows what is logged in another place."""

    is_one_of_many: ClassVar[bool] = True

    tail: tuple[str, ...]
    elsewhere: str | None = None

    def content(self) -> dict[str, Any]:
        return {"lines": list(self.tail), "elsewhere": self.elsewhere}

    def lines(self) -> Iterator[str]:
        yield from map(clean, self.tail)
