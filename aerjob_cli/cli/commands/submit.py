"""`submit`: files become durable jobs, each with an id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from aerjob_cli.api.client import Client
from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer, Note
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.endings import await_ends, remarks_on_held, remarks_on_reused
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.interrupts import Interrupted
from aerjob_cli.cli.requests import requests_of
from aerjob_cli.cli.submission_options import SubmissionOptions, takes_submission_options
from aerjob_cli.cli.submissions import submission, waited_submission
from aerjob_cli.cli.taking_in import checking_line, take_in
from aerjob_cli.errors import AerjobError, UsageError, WorkerUnavailable
from aerjob_cli.states import UNDECIDED
from aerjob_cli.store.records import JobRecord

_VERDICT_TAKES_AT_MOST_S = 10.0
# More of them are told of in one sentence.
_DOUBTS_TOLD_APART = 10


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob submit bell.qasm --shots 4000 --tag demo", 1, 4, 6, 124))(submit)


@takes_submission_options
def submit(
    context: typer.Context,
    wanted: SubmissionOptions,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the jobs end; then exit as `wait` does.")] = False,
    timeout: parameters.Timeout = None,
    quiet: parameters.Quiet = False,
    as_json: parameters.AsJson = False,
) -> Iterator[Answer]:
    """Take circuits in as durable jobs, and print an id for each.

    All files are read before the first is taken in. Up to 500 are taken in together, or none of them is; more are
    taken in 500 at a time, and what ends that in between leaves those that are in, and says which are not. What
    validation refuses has no line on stdout, but its sentence and the job's id on stderr.
    """
    if timeout is not None and not wait:
        raise UsageError("--timeout says how long to wait; give --wait with it, or leave it out")
    invocation = Invocation.of(context, as_json=as_json)
    requests = requests_of(wanted, invocation.settings)
    client = invocation.client
    taken = take_in(client, requests, wanted, quiet=quiet)
    jobs, stopped = taken.jobs, taken.error
    doubts: tuple[str, ...] = ()
    if stopped is None:
        jobs, stopped, doubts = _await_verdicts(client, jobs, quiet=quiet)
    goes_on = wait and stopped is None
    if not (goes_on and invocation.json):
        told = () if quiet else (*remarks_on_reused(jobs), *doubts)
        yield submission(jobs, error=stopped, remarks=(*taken.remarks, *told))
    if goes_on:
        if not quiet and (held := remarks_on_held(jobs)):
            yield Note(remarks=held)
        jobs, late = await_ends(client, jobs, timeout_s=timeout, quiet=quiet)
        ends = waited_submission(jobs, error=late)
        # As text the ids are printed already, and what was refused is told of.
        yield ends if invocation.json else Note(remarks=ends.remarks, error=late, exit_code=ends.exit_code)


def _await_verdicts(
    client: Client, jobs: list[JobRecord], *, quiet: bool
) -> tuple[list[JobRecord], AerjobError | None, tuple[str, ...]]:
    """Give the jobs with their verdicts, the signal that ended the wait for them, and what is in doubt."""
    try:
        with checking_line(len(jobs), quiet=quiet) as tick:
            jobs = client.wait_for_verdicts(jobs, timeout_s=_VERDICT_TAKES_AT_MOST_S, tick=tick)
    except Interrupted as interrupt:
        return jobs, interrupt.as_error(), ()
    except WorkerUnavailable as error:
        return jobs, None, (error.message,)
    return jobs, None, _doubts([job for job in jobs if job.status in UNDECIDED])


def _doubts(undecided: list[JobRecord]) -> tuple[str, ...]:
    if len(undecided) > _DOUBTS_TOLD_APART:
        return (
            f"{len(undecided)} jobs are stored, but not validated yet; `aerjob list --status initializing` shows them, "
            "and `aerjob list --reason invalid_circuit` what is refused",
        )
    return tuple(
        f"job {job.job_id} is stored, but not validated yet; `aerjob status {job.job_id}` will have the verdict"
        for job in undecided
    )
