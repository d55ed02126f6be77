"""Of which job and which experiments a result is wanted: found, waited for, and looked at whether there is one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from aerjob_cli.api.client import Client
from aerjob_cli.cli.endings import await_ends, remarks_on
from aerjob_cli.errors import (
    AerjobError,
    NoResultOfCancelled,
    NoResultOfError,
    NoSuchExperiment,
    NotFinished,
    WaitTimedOut,
)
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for; ``indices`` None are all experiments. With ``is_partial`` what there is will do."""

    job_id: str
    indices: Collection[int] | None = None
    is_partial: bool = False
    waits: bool = False
    timeout_s: float | None = None


def job_with_result(client: Client, wanted: Wanted) -> tuple[JobRecord, AerjobError | None]:
    """Give the job, and the error of a wait that took too long where a part of the result will do.

    Raises ``JobNotFound``, ``NoSuchExperiment``, ``WaitTimedOut``, ``NotFinished`` or ``NoResult``.
    """
    (job,) = client.resolve([wanted.job_id])
    _check_indices(job, wanted.indices)
    late: AerjobError | None = None
    if wanted.waits or wanted.timeout_s is not None:
        (job,), error = await_ends(client, [job], timeout_s=wanted.timeout_s)
        if error is not None and not (wanted.is_partial and isinstance(error, WaitTimedOut)):
            raise error
        late = error
        _check_indices(job, wanted.indices)
    if not wanted.is_partial:
        _require_done(job)
    elif late is not None:
        job = client.find(job.job_id)
    return job, late


def remarks_on_part(job: JobRecord, *, indices: Collection[int] | None, found: Sequence[int]) -> tuple[str, ...]:
    """Say how a result that is not complete came to be so, and how much of it there is."""
    if job.status is Status.DONE:
        return ()
    state = remarks_on([job]) or (f"job {job.job_id} has not finished, it is {job.status}",)
    if indices is not None:
        missing = sorted(set(indices) - set(found))
        listing = ", ".join(map(str, missing))
        return (*state, f"no result of experiment {listing} is stored") if missing else state
    total = "an unknown number" if job.experiments_total is None else f"{job.experiments_total}"
    return (*state, f"this is a part of the result, of {len(found)} of {total} experiments")


def _check_indices(job: JobRecord, indices: Collection[int] | None) -> None:
    if job.experiments_total is None:
        return
    for index in sorted(indices or ()):
        if not 0 <= index < job.experiments_total:
            raise NoSuchExperiment(job.job_id, index, job.experiments_total)


def _require_done(job: JobRecord) -> None:
    if not job.status.is_final:
        raise NotFinished(job.job_id, job.status)
    if job.status is not Status.DONE:
        kind = NoResultOfError if job.status is Status.ERROR else NoResultOfCancelled
        raise kind(job.job_id, job.status, job.reason, job.message)
