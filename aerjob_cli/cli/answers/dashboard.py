"""The answer to "what is going on?": a store, or some jobs of it, at one instant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from aerjob_cli.api.progress import Progress
from aerjob_cli.cli.answers.base import Answer, time_json
from aerjob_cli.cli.answers.worker import LiveWorker
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.clock import to_datetime
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord

# Rates are those of this long until now.
RATE_WINDOW_S = 10.0


@dataclass(frozen=True)
class RunningJob:
    """A job that runs, and how far it is."""

    job: JobRecord
    progress: Progress


@dataclass(frozen=True)
class WaitingJob:
    """A job that does not run yet; its ``position`` in the queue from 1, None where it has none yet."""

    job: JobRecord
    position: int | None


@dataclass(frozen=True)
class Throughput:
    """How much was done in the last ten seconds, for each of them."""

    jobs_per_s: float
    experiments_per_s: float


@dataclass(frozen=True, kw_only=True)
class Dashboard(Answer):
    """What goes on. The lists may be shorter than ``counts`` says; ``ended`` has the last one first.

    ``executors_rss_bytes`` is the memory of the processes that run ``running``, ``available_bytes`` what this machine
    has left; either is None where the system does not tell.
    """

    screen: ClassVar[str | None] = "dashboard"

    title: str
    home: Path
    at_us: int
    worker: LiveWorker | None
    counts: Mapping[Status, int]
    throughput: Throughput
    executors_rss_bytes: int | None
    available_bytes: int | None
    running: tuple[RunningJob, ...]
    waiting: tuple[WaitingJob, ...]
    ended: tuple[JobRecord, ...]
    short_ids: Mapping[str, str]

    def count(self, *statuses: Status) -> int:
        """Count the jobs in any of those states."""
        return sum(self.counts.get(status, 0) for status in statuses)

    def content(self) -> dict[str, Any]:
        return {
            "store": str(self.home),
            "at": time_json(to_datetime(self.at_us)),
            "worker": None if self.worker is None else self.worker.as_json() | {"uptime_s": self.uptime_s},
            "jobs": {status.lower(): self.count(status) for status in Status},
            "throughput": {
                "window_s": RATE_WINDOW_S,
                "jobs_per_s": self.throughput.jobs_per_s,
                "experiments_per_s": self.throughput.experiments_per_s,
            },
            "memory": {"executors_rss_bytes": self.executors_rss_bytes, "available_bytes": self.available_bytes},
            "running": [_running_json(item) for item in self.running],
            "queued": [_identity(item.job) | _queue_json(item) for item in self.waiting],
            "ended": [_identity(job) | _end_json(job) for job in self.ended],
        }

    @property
    def uptime_s(self) -> float | None:
        """How long the worker has been running; None without one."""
        return None if self.worker is None else max(0, self.at_us - self.worker.worker.started_us) / 1_000_000

    def lines(self) -> Iterator[str]:
        yield f"worker\t{'none' if self.worker is None else self.worker.worker.pid}"
        yield from (f"jobs\t{status.lower()}\t{self.count(status)}" for status in Status)
        yield f"throughput\tjobs_per_s\t{self.throughput.jobs_per_s:g}"
        yield f"throughput\texperiments_per_s\t{self.throughput.experiments_per_s:g}"
        for name, size in (("executors", self.executors_rss_bytes), ("available", self.available_bytes)):
            yield from [] if size is None else [f"memory\t{name}\t{size}"]
        for item in self.running:
            progress = item.progress
            yield _row("running", item.job, show_done(item.job), f"{progress.elapsed_s:.1f}s", _eta_field(progress))
        for waiting in self.waiting:
            yield _row("queued", waiting.job, show_done(waiting.job), str(waiting.position or "-"))
        for job in self.ended:
            yield _row(job.status.lower(), job, show_done(job), str(job.reason or "-"))


def show_done(job: JobRecord) -> str:
    """Give ``3/10``, or ``0/?`` while nobody knows how many experiments there are."""
    return f"{job.experiments_done}/{'?' if job.experiments_total is None else job.experiments_total}"


def _row(kind: str, job: JobRecord, *fields: str) -> str:
    return "\t".join((kind, job.job_id, *fields, clean(job.backend), clean(job.name or "")))


def _eta_field(progress: Progress) -> str:
    return "-" if progress.eta_s is None else f"{progress.eta_s:.1f}s"


def _identity(job: JobRecord) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "status": job.status,
        "name": job.name,
        "backend": job.backend,
        "priority": job.priority,
        "attempt": job.attempt,
        "experiments_done": job.experiments_done,
        "experiments_total": job.experiments_total,
    }


def _running_json(item: RunningJob) -> dict[str, Any]:
    progress = item.progress
    return _identity(item.job) | {
        "elapsed_s": progress.elapsed_s,
        "eta_s": progress.eta_s,
        "rss_bytes": progress.rss_bytes,
        "cancel_requested": item.job.cancel_requested_us is not None,
    }


def _queue_json(item: WaitingJob) -> dict[str, Any]:
    return {"queue_position": item.position, "submitted_at": time_json(item.job.submitted_at)}


def _end_json(job: JobRecord) -> dict[str, Any]:
    return {
        "reason": job.reason,
        "started_at": time_json(job.started_at),
        "finished_at": time_json(job.finished_at),
    }
