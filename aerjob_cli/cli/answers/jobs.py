"""Answers that consist of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aerjob_cli.cli.answers.base import Answer, show_time, time_json
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.endings import is_refused
from aerjob_cli.store.records import JobRecord

_LABEL_WIDTH = 13


@dataclass(frozen=True, kw_only=True)
class Submitted(Answer):
    """Jobs that were taken in, those included that validation has refused by now."""

    jobs: tuple[JobRecord, ...]

    def content(self) -> dict[str, Any]:
        return {"jobs": [job_json(job) for job in self.jobs]}

    def lines(self) -> Iterator[str]:
        yield from (job.job_id for job in self.jobs if not is_refused(job))


@dataclass(frozen=True, kw_only=True)
class JobList(Answer):
    """Jobs in a row each."""

    screen: ClassVar[str | None] = "jobs"

    jobs: tuple[JobRecord, ...]

    def content(self) -> dict[str, Any]:
        return {"jobs": [job_json(job) for job in self.jobs]}

    def lines(self) -> Iterator[str]:
        yield from ("\t".join(row(job)) for job in self.jobs)


@dataclass(frozen=True, kw_only=True)
class JobDetails(JobList):
    """Jobs with all that is known of them; ``queue_positions`` from 1, by job id, for those that queue."""

    queue_positions: dict[str, int] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        for index, job in enumerate(self.jobs):
            yield from [""] if index else []
            for label, value in details(job, self.queue_positions.get(job.job_id)):
                yield f"{label:<{_LABEL_WIDTH}}{value}"


@dataclass(frozen=True, kw_only=True)
class Ended(Answer):
    """A job that is final now."""

    screen: ClassVar[str | None] = "jobs"

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
        "submitted_at": time_json(job.submitted_at),
        "started_at": time_json(job.started_at),
        "finished_at": time_json(job.finished_at),
        "experiments_done": job.experiments_done,
        "experiments_total": job.experiments_total,
    }


def row(job: JobRecord) -> tuple[str, ...]:
    """Give a job in a few words: id, status, progress, backend, time of submission, name."""
    return (
        job.job_id,
        job.status,
        progress(job),
        clean(job.backend),
        show_time(job.submitted_at),
        clean(job.name or ""),
    )


def details(job: JobRecord, queue_position: int | None) -> list[tuple[str, str]]:
    """Give what a person wants to know of one job, labelled; what it has not is left out."""
    known: list[tuple[str, object]] = [
        ("job", job.job_id),
        ("status", job.status),
        ("reason", job.reason),
        ("message", job.message),
        ("name", job.name),
        ("tags", ", ".join(job.tags) or None),
        ("backend", job.backend),
        ("method", job.method),
        ("shots", job.shots),
        ("seed", job.seed),
        ("experiments", progress(job)),
        ("attempt", job.attempt or None),
        ("queue", queue_position),
        ("submitted", show_time(job.submitted_at)),
        ("started", None if job.started_at is None else show_time(job.started_at)),
        ("finished", None if job.finished_at is None else show_time(job.finished_at)),
    ]
    return [(label, clean(str(value))) for label, value in known if value is not None]


def progress(job: JobRecord) -> str:
    """Give ``3/10``, or ``0/?`` while nobody knows how many experiments there are."""
    return f"{job.experiments_done}/{'?' if job.experiments_total is None else job.experiments_total}"
