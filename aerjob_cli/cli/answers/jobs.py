"""Answers that consist of jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, ClassVar

from aerjob_cli.api.waits import why_waiting
from aerjob_cli.cli.answers.base import Answer, time_json
from aerjob_cli.cli.columns import DEFAULT_COLUMNS, value_of
from aerjob_cli.cli.endings import is_refused
from aerjob_cli.clock import to_datetime
from aerjob_cli.frozen import dataclass
from aerjob_cli.store.records import JobRecord


@dataclass(frozen=True, kw_only=True)
class Submitted(Answer):
    """Jobs that were taken in, those included that validation has refused by now."""

    jobs: tuple[JobRecord, ...]

    def content(self) -> dict[str, Any]:
        return {"jobs": [job_json(job) for job in self.jobs]}

    def lines(self) -> Iterator[str]:
        yield from (job.job_id for job in self.jobs if not is_refused(job))

    def essence(self) -> tuple[str, ...]:
        # The jobs are stored; without their ids they would be submitted again.
        return tuple(f"job {job.job_id} is submitted" for job in self.jobs if not is_refused(job))


@dataclass(frozen=True, kw_only=True)
class Retried(Submitted):
    """Jobs that were taken in once more."""

    def content(self) -> dict[str, Any]:
        return {"jobs": [job_json(job) | {"retry_of": job.retry_of} for job in self.jobs]}


@dataclass(frozen=True, kw_only=True)
class JobList(Answer):
    """Jobs in a row each. ``short_ids`` and ``now_us`` are for a person; ``has_more`` says that the list is cut."""

    screen: ClassVar[str | None] = "jobs"

    jobs: tuple[JobRecord, ...]
    now_us: int
    columns: tuple[str, ...] = DEFAULT_COLUMNS
    short_ids: Mapping[str, str] = field(default_factory=dict)
    has_more: bool = False

    def content(self) -> dict[str, Any]:
        return {"jobs": [job_json(job) for job in self.jobs]}

    def lines(self) -> Iterator[str]:
        yield from ("\t".join(value_of(job, column) for column in self.columns) for job in self.jobs)


@dataclass(frozen=True, kw_only=True)
class CancelledJobs(JobList):
    """Jobs whose end was asked for, as they are now; with ``dry_run`` those whose end would be."""

    dry_run: bool = False

    def content(self) -> dict[str, Any]:
        return {"dry_run": self.dry_run} | super().content()


@dataclass(frozen=True, kw_only=True)
class Rehearsed(JobList):
    """Jobs that a command with ``--dry-run`` would have done something with."""

    def content(self) -> dict[str, Any]:
        return {"dry_run": True} | super().content()


@dataclass(frozen=True, kw_only=True)
class ChangedJobs(Answer):
    """Jobs that have not begun, of which it was changed when they will, as they are now."""

    jobs: tuple[JobRecord, ...]

    def content(self) -> dict[str, Any]:
        return {"jobs": [job_json(job) | {"priority": job.priority} for job in self.jobs]}

    def lines(self) -> Iterator[str]:
        for job in self.jobs:
            yield "\t".join(
                (job.job_id, job.status, f"priority {job.priority}", why_waiting(job) or "waits for its turn")
            )


@dataclass(frozen=True, kw_only=True)
class TaggedJobs(Answer):
    """Jobs with the tags they have now."""

    jobs: tuple[JobRecord, ...]

    def content(self) -> dict[str, Any]:
        return {"jobs": [job_json(job) for job in self.jobs]}

    def lines(self) -> Iterator[str]:
        yield from (f"{job.job_id}\t{value_of(job, 'tags')}" for job in self.jobs)


@dataclass(frozen=True, kw_only=True)
class DeletedJobs(Answer):
    """Jobs that are no more, and how much room the files take no longer that they alone had."""

    job_ids: tuple[str, ...]
    freed_bytes: int

    def content(self) -> dict[str, Any]:
        return {"job_ids": list(self.job_ids), "freed_bytes": self.freed_bytes}

    def lines(self) -> Iterator[str]:
        yield from self.job_ids


@dataclass(frozen=True, kw_only=True)
class Ended(Answer):
    """A job that is final now."""

    screen: ClassVar[str | None] = "jobs"
    is_one_of_many: ClassVar[bool] = True

    job: JobRecord

    def content(self) -> dict[str, Any]:
        return job_json(self.job)

    def lines(self) -> Iterator[str]:
        yield f"{self.job.job_id}\t{self.job.status}"


def job_json(job: JobRecord) -> dict[str, Any]:
    """Give a job's public keys."""
    return {
        "job_id": job.job_id,
        "status": job.status,
        "reason": job.reason,
        "message": job.message,
        "attempt": job.attempt,
        "backend": job.backend,
        "method": job.method,
        "shots": job.shots,
        "seed": job.seed,
        "name": job.name,
        "tags": list(job.tags),
        "group": job.group_name,
        "submitted_at": time_json(job.submitted_at),
        "started_at": time_json(job.started_at),
        "finished_at": time_json(job.finished_at),
        "imported_at": time_json(job.imported_at),
        "experiments_done": job.experiments_done,
        "experiments_total": job.experiments_total,
        "waiting": why_waiting(job),
        "held": job.held and not job.status.is_final,
        "waits_for": list(job.waits_for),
        "begins_at": None if job.begin_us is None or job.status.is_final else time_json(to_datetime(job.begin_us)),
        "reused_from": job.reused_from,
        "on_end": job.on_end,
    }
