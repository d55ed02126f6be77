"""`result`: what a job measured."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.endings import timed_out
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.outcomes import read_result
from aerjob_cli.errors import NoResultOfCancelled, NoResultOfError, NotFinished
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord


class ResultFormat(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob result last --format json", 1, 3, 4, 8, 70, 124))(result)


def result(
    context: typer.Context,
    job_id: parameters.JobId,
    form: Annotated[ResultFormat | None, typer.Option("--format", help="As a table or as JSON.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the job has ended.")] = False,
    timeout: parameters.Timeout = None,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Print the counts of a job, the most frequent outcome first."""
    invocation = Invocation.of(context, as_json=as_json or form is ResultFormat.JSON)
    if form is ResultFormat.TABLE and not as_json:
        invocation.json = False
    client = invocation.client
    (job,) = client.resolve([job_id])
    if wait or timeout is not None:
        for ended in client.wait([job], timeout_s=timeout):
            job = ended
        if (late := timed_out([job], timeout)) is not None:
            raise late
    _require_result(job)
    return read_result(client, job)


def _require_result(job: JobRecord) -> None:
    if not job.status.is_final:
        raise NotFinished(job.job_id, job.status)
    if job.status is not Status.DONE:
        kind = NoResultOfError if job.status is Status.ERROR else NoResultOfCancelled
        raise kind(job.job_id, job.status, job.reason, job.message)
