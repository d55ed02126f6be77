"""`status` and `list`: looking at jobs."""

from __future__ import annotations

from typing import Annotated

import typer

from aerjob_cli.api.progress import progress_of
from aerjob_cli.cli import filters, parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.jobs import JobList
from aerjob_cli.cli.answers.status import JobState, JobStates
from aerjob_cli.cli.columns import DEFAULT_COLUMNS, parse_columns, parse_sort
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.parameter_objects import expanded
from aerjob_cli.errors import UsageError

_LIST_AT_MOST = 2**31 - 1
_LISTED = 20


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog=epilog("aerjob status last", 3))(status)
    app.command("list", epilog=epilog("aerjob list --status RUNNING --tag demo --since yesterday"))(list_jobs)


def status(
    context: typer.Context,
    job_ids: parameters.SomeJobIds = None,
    group: filters.Group = None,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Show where jobs are.

    With --group, where all of them are together: how many in each state, how many experiments have their result, how
    long it has taken and about how long it will.
    """
    if (group is None) is not bool(job_ids):
        raise UsageError("say where which jobs are: those of some ids, or with --group those of a group")
    invocation = Invocation.of(context, as_json=as_json)
    client = invocation.client
    if group is not None:
        # Only who asks for a group needs them.
        from aerjob_cli.api.group_progress import group_progress
        from aerjob_cli.cli.answers.groups import GroupState

        return GroupState(progress=group_progress(client.store, group))
    found = client.resolve_with_places(job_ids or ())
    now_us = client.store.now_us()
    return JobStates(
        states=tuple(JobState(job, progress_of(job, now_us=now_us), place) for job, place in found),
        short_ids=client.short_ids([job for job, _ in found]) if invocation.is_for_person else {},
    )


@expanded(filters.FilterOptionsWithReason)
def list_jobs(
    context: typer.Context,
    wanted: filters.FilterOptionsWithReason,
    sort: Annotated[
        str,
        typer.Option(
            parser=parameters.text,
            metavar="KEY",
            help="submitted, started, finished, status, name, backend, priority or duration; with - before it "
            "in reverse.",
        ),
    ] = "-submitted",
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, max=_LIST_AT_MOST, help=f"How many; {_LISTED} when not given.")
    ] = None,
    show_all: Annotated[bool, typer.Option("--all", help="However many there are.")] = False,
    columns: Annotated[
        str | None,
        typer.Option(parser=parameters.text, metavar="NAME,…", help="What to show of each, such as id,status,tags."),
    ] = None,
    as_json: parameters.AsJson = False,
) -> Answer:
    """List jobs, the last submitted first.

    With --since or --until they are in the order of their times of submission, which is another one only where the
    clock was set back.
    """
    if show_all and limit is not None:
        raise UsageError("--all lists however many there are; give it or --limit")
    key, descends = parse_sort(sort)
    shown = DEFAULT_COLUMNS if columns is None else parse_columns(columns)
    invocation = Invocation.of(context, as_json=as_json)
    client = invocation.client
    at_most = None if show_all else limit or _LISTED
    # One more, to know whether there are more.
    found = client.listed(wanted.filter, limit=None if at_most is None else at_most + 1, sort=key, descending=descends)
    jobs = found[:at_most]
    return JobList(
        jobs=tuple(jobs),
        now_us=client.store.now_us(),
        columns=shown,
        short_ids=client.short_ids(jobs) if invocation.is_for_person else {},
        has_more=len(found) > len(jobs),
    )
