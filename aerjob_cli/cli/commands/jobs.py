"""`status`, `list` and `cancel`: looking at jobs and ending them."""

from __future__ import annotations

from typing import Annotated

import typer

from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.jobs import JobDetails, JobList
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.errors import NotFinished
from aerjob_cli.states import Status
from aerjob_cli.store.jobs import JobFilter

_LIST_AT_MOST = 2**31 - 1
_LISTED = 20
_ENDED_OTHERWISE = (Status.DONE, Status.ERROR)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog=epilog("aerjob status last", 3))(status)
    app.command("list", epilog=epilog("aerjob list --status RUNNING --tag demo"))(list_jobs)
    app.command(epilog=epilog("aerjob cancel 3f2a", 3, 8))(cancel)


def status(context: typer.Context, job_ids: parameters.JobIds, as_json: parameters.AsJson = False) -> Answer:
    """Show where jobs are."""
    client = Invocation.of(context, as_json=as_json).client
    jobs = client.resolve(job_ids)
    positions = {job.job_id: client.queue_position(job) for job in jobs}
    return JobDetails(
        jobs=tuple(jobs),
        queue_positions={job_id: position for job_id, position in positions.items() if position is not None},
    )


def list_jobs(
    context: typer.Context,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=_LIST_AT_MOST, help="How many, from the last one back.")
    ] = _LISTED,
    wanted_status: Annotated[
        list[Status] | None, typer.Option("--status", case_sensitive=False, help="In this state; may be repeated.")
    ] = None,
    tag: Annotated[str | None, typer.Option(parser=parameters.text, metavar="TEXT", help="With this tag.")] = None,
    name: Annotated[str | None, typer.Option(parser=parameters.text, metavar="TEXT", help="With this name.")] = None,
    backend: Annotated[
        str | None, typer.Option(parser=parameters.text, metavar="NAME", help="For this simulator.")
    ] = None,
    as_json: parameters.AsJson = False,
) -> Answer:
    """List jobs, the last submitted first."""
    client = Invocation.of(context, as_json=as_json).client
    wanted = JobFilter(statuses=tuple(wanted_status or ()), tag=tag, name=name, backend=backend)
    return JobList(jobs=tuple(client.newest(wanted, limit=limit)))


def cancel(context: typer.Context, job_ids: parameters.JobIds, as_json: parameters.AsJson = False) -> Answer:
    """End jobs, wherever they are. One that has ended already stays as it is, which is no error."""
    client = Invocation.of(context, as_json=as_json).client
    jobs = tuple(client.cancel_all(list({job.seq: job for job in client.resolve(job_ids)}.values())))
    pending = [job for job in jobs if not job.status.is_final]
    return JobList(
        jobs=jobs,
        remarks=(
            *(f"job {job.job_id} had ended already, {job.status}" for job in jobs if job.status in _ENDED_OTHERWISE),
            *(f"job {job.job_id} will be cancelled as soon as its worker answers" for job in pending),
        ),
        exit_code=NotFinished.exit_code if pending else 0,
    )
