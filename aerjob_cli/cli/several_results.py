"""The results of several jobs in one answer: of each what it has, and of those that have none, why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aerjob_cli.api.client import Client
from aerjob_cli.cli.answers.results import JobResult, RunResults
from aerjob_cli.cli.endings import await_ends, exit_code_of, remarks_on
from aerjob_cli.cli.outcomes import ELEMENTS_LISTED, read_outcomes, read_result
from aerjob_cli.cli.result_csv import counts_csv, expectations_csv
from aerjob_cli.errors import AerjobError, NotFinished, WaitTimedOut
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord


@dataclass(frozen=True)
class Looked:
    """Jobs as they are now. With ``is_partial`` the parts that there are of a result will do.

    ``late`` is the error of a wait that took too long.
    """

    jobs: Sequence[JobRecord]
    is_partial: bool
    late: AerjobError | None = None

    @property
    def with_result(self) -> list[JobRecord]:
        """The jobs that something is to be told of."""
        return [job for job in self.jobs if self.is_partial or job.status is Status.DONE]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What there is to say of those that have no result, or only a part of one."""
        pending = (job for job in self.jobs if not job.status.is_final)
        return (
            *remarks_on(self.jobs),
            *(f"job {job.job_id} has not finished, it is {job.status}" for job in pending),
        )

    @property
    def exit_code(self) -> int:
        """Give the code of the wait, else 1 for any ERROR, 4 for any CANCELLED, 8 for any that has not ended."""
        if self.late is not None:
            return self.late.exit_code
        if self.is_partial:
            return 0
        has_pending = any(not job.status.is_final for job in self.jobs)
        return exit_code_of(self.jobs) or (NotFinished.exit_code if has_pending else 0)


def look_at(
    client: Client, jobs: Sequence[JobRecord], *, waits: bool, timeout_s: float | None, is_partial: bool
) -> Looked:
    """Wait for the ends of the jobs if that is wanted; raises whatever else than the time has ended the wait."""
    if not waits and timeout_s is None:
        return Looked(jobs, is_partial)
    ended, error = await_ends(client, jobs, timeout_s=timeout_s)
    if error is not None and not isinstance(error, WaitTimedOut):
        raise error
    if error is not None and is_partial:
        ended = client.latest(ended)  # as far as the others have come
    return Looked(ended, is_partial, error)


def results_of(client: Client, looked: Looked, *, is_json: bool, top: int | None) -> RunResults:
    """Read all results for people and scripts; raises as ``read_outcomes``."""
    # JSON tells of arrays what they are, not what is in them, unless it is asked for.
    listed = None if is_json and top is None else top or ELEMENTS_LISTED
    found = {job.seq: read_result(client, job, top=top, listed=listed) for job in looked.with_result}
    return RunResults(
        results=tuple(found.get(job.seq) or JobResult(job=job, experiments=(), top=top) for job in looked.jobs),
        remarks=looked.remarks,
        error=looked.late,
        exit_code=looked.exit_code,
    )


def csv_of(client: Client, looked: Looked, *, top: int | None) -> tuple[Iterable[bytes], tuple[str, ...]]:
    """Write the counts of all jobs below one header, or what estimators found where there are no counts.

    Give with it what there is to say of jobs that are left out; raises as ``read_outcomes``.
    """
    found = [(job, list(read_outcomes(client, job))) for job in looked.with_result]
    counted = [item for item in found if any(outcome.counts is not None for outcome in item[1])]
    estimated = [item for item in found if any(outcome.expectations is not None for outcome in item[1])]
    told = counted or estimated
    left = {job.job_id for job, outcomes in found if outcomes} - {job.job_id for job, _ in told}
    what = "counts" if counted else "values of an estimator"
    remarks = tuple(
        f"job {job_id} has no {what}; `aerjob result {job_id}` shows what it has" for job_id in sorted(left)
    )
    return (counts_csv(counted, top=top) if counted or not estimated else expectations_csv(estimated)), remarks
