"""Where jobs are: what `status` says of each, in one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, ClassVar

from aerjob_cli.api.progress import Progress
from aerjob_cli.api.waits import why_waiting
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.jobs import job_json
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.columns import progress
from aerjob_cli.cli.durations import show_rounded
from aerjob_cli.cli.live.figures import size_text
from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import QUEUE_COUNTED_TO
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord


@dataclass(frozen=True)
class JobState:
    """One job and how far it is; ``queue_position`` counts from 1, for a job that queues."""

    job: JobRecord
    progress: Progress
    queue_position: int | None

    def as_json(self) -> dict[str, Any]:
        """Give the job's keys and those of its progress."""
        job, far = self.job, self.progress
        return job_json(job) | {
            "shots_done": far.shots_done,
            "shots_total": far.shots_total,
            "elapsed_s": None if job.started_us is None else far.elapsed_s,
            "eta_s": far.eta_s,
            "rss_bytes": far.rss_bytes,
            "queue_position": self.queue_position,
            "executor_pid": job.executor_pid if job.status is Status.RUNNING else None,
        }

    def what_matters(self) -> str:
        """Say what one wants to know of a job in its state, clean."""
        match self.job.status:
            case Status.ERROR | Status.CANCELLED:
                return clean(f"{self.job.reason}: {self.job.message}")
            case Status.QUEUED:
                return self._of_queued()
            case Status.RUNNING:
                return ", ".join(self._of_running())
            case Status.DONE:
                return f"ran for {show_rounded(self.progress.elapsed_s)}"
            case Status.VALIDATING:
                return self._with_reason("its circuits are being checked")
            case _:
                return self._with_reason("its circuits have not been checked yet")

    def _of_queued(self) -> str:
        if (waiting := why_waiting(self.job)) is not None:
            return waiting
        if self.queue_position is None:
            return "queued"
        if self.queue_position > QUEUE_COUNTED_TO:
            return f"more than {QUEUE_COUNTED_TO} are before it in the queue"
        return f"place {self.queue_position} in the queue"

    def _with_reason(self, state: str) -> str:
        waiting = why_waiting(self.job)
        return state if waiting is None else f"{state}; {waiting}"

    def _of_running(self) -> Iterator[str]:
        far = self.progress
        yield f"runs for {show_rounded(far.elapsed_s)}"
        if far.eta_s is not None:
            yield f"about {show_rounded(far.eta_s)} left"
        if far.rss_bytes is not None:
            yield size_text(far.rss_bytes)
        if self.job.attempt > 1:
            yield f"attempt {self.job.attempt}"
        if self.job.cancel_requested_us is not None:
            yield "is being cancelled"


@dataclass(frozen=True, kw_only=True)
class JobStates(Answer):
    """Jobs in a row each, with what matters of them. ``short_ids`` are for a person."""

    screen: ClassVar[str | None] = "status"

    states: tuple[JobState, ...]
    short_ids: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        return {"jobs": [state.as_json() for state in self.states]}

    def lines(self) -> Iterator[str]:
        for state in self.states:
            yield "\t".join((state.job.job_id, state.job.status, progress(state.job), state.what_matters()))
