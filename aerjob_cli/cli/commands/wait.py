"""`wait`: until jobs have ended, however long the machine was off meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer, Note
from aerjob_cli.cli.answers.jobs import Ended
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.endings import (
    exit_code_of,
    remarks_on,
    remarks_on_held,
    remarks_on_what_never_begins,
    timed_out,
)
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.live.live_line import waiting_line
from aerjob_cli.cli.selection import SelectionWithReason, takes_selection_with_reason
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob wait last --timeout 1m30s", 1, 3, 4, 70, 124))(wait)


@takes_selection_with_reason
def wait(
    context: typer.Context,
    selection: SelectionWithReason,
    timeout: parameters.Timeout = None,
    any_one: Annotated[bool, typer.Option("--any", help="Stop at the first job that has ended.")] = False,
    quiet: parameters.Quiet = False,
    as_json: parameters.AsJson = False,
) -> Iterator[Answer]:
    """Wait until jobs have ended. A worker is started when none works on them.

    Of jobs that have something in common, those are meant that fit as the wait begins.

    Prints each job when it ends; with --json each is a JSON value in a line of its own. On a terminal a line on
    stderr shows meanwhile how far they are.
    """
    invocation = Invocation.of(context, as_json=as_json)
    client = invocation.client
    jobs = {job.seq: job for job in selection.jobs(client)}
    # One for each state: what all of them come to is asked after each.
    ended: dict[Status, JobRecord] = {}
    told = () if quiet else (*remarks_on_held(jobs.values()), *remarks_on_what_never_begins(client, jobs.values()))
    if told:
        yield Note(remarks=told)
    with waiting_line(quiet=quiet) as line:
        for job in client.wait(list(jobs.values()), timeout_s=timeout, tick=line.wants):
            line.erase()
            ended[job.status] = job
            yield Ended(job=job, remarks=remarks_on([job]), exit_code=exit_code_of(ended.values()))
            if any_one:
                return
            jobs[job.seq] = job
    late = timed_out(jobs.values(), timeout)
    if late is not None:
        raise late
