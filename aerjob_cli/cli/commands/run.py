"""`run`: files become jobs, and the results are printed when they have ended."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from aerjob_cli.cli import parameters, streams
from aerjob_cli.cli.answers.base import Answer, Note
from aerjob_cli.cli.answers.results import JobResult, RunResults
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.endings import (
    await_ends,
    exit_code_of,
    is_refused,
    refusal_of,
    refusals,
    remarks_on,
    remarks_on_held,
    remarks_on_reused,
)
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.outcomes import ELEMENTS_LISTED, read_result
from aerjob_cli.cli.requests import requests_of
from aerjob_cli.cli.submission_options import SubmissionOptions, takes_submission_options
from aerjob_cli.cli.taking_in import take_in
from aerjob_cli.states import Status


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob run bell.qasm --shots 4000", 1, 4, 6, 124))(run)


@takes_submission_options
def run(
    context: typer.Context,
    wanted: SubmissionOptions,
    timeout: parameters.Timeout = None,
    quiet: parameters.Quiet = False,
    as_json: parameters.AsJson = False,
) -> Iterator[Answer]:
    """Submit circuits, wait for their end and print the results. The ids are on stderr."""
    invocation = Invocation.of(context, as_json=as_json)
    requests = requests_of(wanted, invocation.settings)
    client = invocation.client
    taken = take_in(client, requests, wanted, quiet=quiet)
    jobs, error = taken.jobs, taken.error
    if error is not None or not quiet:
        told = (*remarks_on_held(jobs), *remarks_on_reused(jobs))
        yield Note(remarks=(*(f"job {job.job_id}" for job in jobs), *taken.remarks, *told))
    if error is None:
        jobs, error = await_ends(client, jobs, timeout_s=timeout, quiet=quiet)
    problem = error or refusal_of(jobs)
    # JSON tells of arrays what they are, not what is in them.
    listed = None if invocation.json else ELEMENTS_LISTED
    results = tuple(
        read_result(client, job, listed=listed) if job.status is Status.DONE else JobResult(job=job, experiments=())
        for job in jobs
    )
    # A screen says itself what it leaves out.
    is_told = quiet or invocation.json or streams.is_terminal()
    left_out = () if is_told else tuple(sentence for result in results for sentence in result.left_out())
    yield RunResults(
        results=results,
        remarks=(*refusals(jobs), *remarks_on(job for job in jobs if not is_refused(job)), *left_out),
        error=problem,
        exit_code=exit_code_of(jobs) if problem is None else problem.exit_code,
    )
