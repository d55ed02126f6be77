"""`submit`: files become durable jobs, each with an id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from aerjob_cli.api.client import Client
from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer, Note
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.endings import await_ends
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.interrupts import Interrupted
from aerjob_cli.cli.requests import requests_of, take_in
from aerjob_cli.cli.submission_options import SubmissionOptions, takes_submission_options
from aerjob_cli.cli.submissions import submission, waited_submission
from aerjob_cli.errors import AerjobError, UsageError, WorkerUnavailable
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord

_VERDICT_TAKES_AT_MOST_S = 10.0
_UNDECIDED = (Status.INITIALIZING, Status.VALIDATING)


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

    Several files are taken in together, or none of them is. What validation refuses has no line on stdout,
    but its sentence and the job's id on stderr.
    """
    if timeout is not None and not wait:
        raise UsageError("--timeout says how long to wait; give --wait with it, or leave it out")
    invocation = Invocation.of(context, as_json=as_json)
    requests = requests_of(wanted, invocation.settings)
    client = invocation.client
    jobs, stopped = take_in(client, requests, wanted)
    doubts: tuple[str, ...] = ()
    if stopped is None:
        jobs, stopped, doubts = _await_verdicts(client, jobs)
    goes_on = wait and stopped is None
    if not (goes_on and invocation.json):
        yield submission(jobs, error=stopped, remarks=() if quiet else doubts)
    if goes_on:
        jobs, late = await_ends(client, jobs, timeout_s=timeout, quiet=quiet)
        ends = waited_submission(jobs, error=late)
        # As text the ids are printed already, and what was refused is told of.
        yield ends if invocation.json else Note(remarks=ends.remarks, error=late, exit_code=ends.exit_code)


def _await_verdicts(
    client: Client, jobs: list[JobRecord]
) -> tuple[list[JobRecord], AerjobError | None, tuple[str, ...]]:
    """Give the jobs with their verdicts, the signal that ended the wait for them, and what is in doubt."""
    try:
        jobs = client.wait_for_verdicts(jobs, timeout_s=_VERDICT_TAKES_AT_MOST_S)
    except Interrupted as interrupt:
        return jobs, interrupt.as_error(), ()
    except WorkerUnavailable as error:
        return jobs, None, (error.message,)
    doubts = tuple(
        f"job {job.job_id} is stored, but not validated yet; `aerjob status {job.job_id}` will have the verdict"
        for job in jobs
        if job.status in _UNDECIDED
    )
    return jobs, None, doubts
