"""How jobs ended, as exit codes, sentences and errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from aerjob_cli.cli.durations import show_duration
from aerjob_cli.cli.interrupts import Interrupted
from aerjob_cli.errors import AerjobError, NoResultOfCancelled, NoResultOfError, SubmissionRefused, WaitTimedOut
from aerjob_cli.memory import counted_bytes
from aerjob_cli.states import Reason, Status
from aerjob_cli.store.records import JobRecord

if TYPE_CHECKING:
    from aerjob_cli.api.client import Client


# More of them are told of in one sentence.
_REUSED_TOLD_APART = 10


def await_ends(
    client: Client, jobs: Sequence[JobRecord], *, timeout_s: float | None, quiet: bool = False
) -> tuple[list[JobRecord], AerjobError | None]:
    """Wait until all jobs are final; give them as they are then, and what ended the wait before that.

    A line on the terminal shows how far they are, unless ``quiet``.
    """
    # Only those who wait need it, and this module is everybody's.
    from aerjob_cli.cli.live.live_line import waiting_line

    ended = {job.seq: job for job in jobs}
    error: AerjobError | None = None
    try:
        with waiting_line(quiet=quiet) as line:
            for job in client.wait(jobs, timeout_s=timeout_s, tick=line.wants):
                ended[job.seq] = job
        error = timed_out(ended.values(), timeout_s)
    except Interrupted as interrupt:
        error = interrupt.as_error()
    return [ended[job.seq] for job in jobs], error


def exit_code_of(jobs: Iterable[JobRecord]) -> int:
    """Give 1 for any ERROR, else 4 for any CANCELLED, else 0."""
    statuses = {job.status for job in jobs}
    if Status.ERROR in statuses:
        return NoResultOfError.exit_code
    return NoResultOfCancelled.exit_code if Status.CANCELLED in statuses else 0


def remarks_on(jobs: Iterable[JobRecord]) -> tuple[str, ...]:
    """Say of each job that did not end well why."""
    bad_ends = (Status.ERROR, Status.CANCELLED)
    return tuple(
        f"job {job.job_id} ended in {job.status}, {job.reason}: {job.message}" for job in jobs if job.status in bad_ends
    )


def remarks_on_held(jobs: Iterable[JobRecord]) -> tuple[str, ...]:
    """Say of each job that is held that waiting for it alone will not do."""
    return tuple(
        f"job {job.job_id} is held; `aerjob release {job.job_id}` lets it start"
        for job in jobs
        if job.held and not job.status.is_final
    )


def remarks_on_reused(jobs: Sequence[JobRecord]) -> tuple[str, ...]:
    """Say of each job that was given the result of an earlier one of which, or of many how many they are."""
    reused = [job for job in jobs if job.reused_from is not None]
    if len(reused) > _REUSED_TOLD_APART:
        return (f"{len(reused)} of {len(jobs)} jobs were given the results of earlier ones",)
    return tuple(f"job {job.job_id} was given the result of job {job.reused_from}" for job in reused)


def remarks_on_what_never_begins(client: Client, jobs: Iterable[JobRecord]) -> tuple[str, ...]:
    """Say of each job that takes more memory than the worker gives out that waiting for it will not do."""
    large = [job.job_id for job in jobs if job.status is Status.QUEUED and counted_bytes(job.estimated_bytes)]
    if not large:
        return ()
    return tuple(
        f"job {item.job.job_id} does not begin: {item.sentence}"
        for item in client.explain(large)
        if item.cause == "memory_of_worker"
    )


def timed_out(jobs: Iterable[JobRecord], timeout_s: float | None) -> WaitTimedOut | None:
    """Give the error of those jobs that are not final when the time is over, or None when all are."""
    job_ids = [job.job_id for job in jobs if not job.status.is_final]
    if not job_ids or timeout_s is None:
        return None
    subject = f"job {job_ids[0]} has" if len(job_ids) == 1 else f"{len(job_ids)} jobs have"
    return WaitTimedOut(f"{subject} not ended within {show_duration(timeout_s)}; the work goes on", job_ids=job_ids)


def is_refused(job: JobRecord) -> bool:
    """Tell whether validation ended the job: it never came to know how many experiments there are.

    What another job's end has ended before is not refused.
    """
    never_known = job.status is Status.ERROR and job.experiments_total is None
    return never_known and job.reason is not Reason.DEPENDENCY_FAILED


def refusals(jobs: Iterable[JobRecord]) -> tuple[str, ...]:
    """Tell of each refused job as of any error: the file, the place in it, what is wrong there, and the job's id."""
    return tuple(f"aerjob: {_verdict(job)} (job {job.job_id})" for job in jobs if is_refused(job))


def refusal_of(jobs: Sequence[JobRecord]) -> SubmissionRefused | None:
    """Give the error of a submission in which circuits were refused."""
    refused = [job for job in jobs if is_refused(job)]
    if not refused:
        return None
    first = _verdict(refused[0])
    message = first if len(jobs) == 1 else f"{len(refused)} of {len(jobs)} circuits were refused; the first: {first}"
    return SubmissionRefused(message, job_ids=[job.job_id for job in refused])


def _verdict(job: JobRecord) -> str:
    return job.message or "the circuits were refused"
