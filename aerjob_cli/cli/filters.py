"""The options that say which jobs are meant, for all verbs that take many: `list`, `cancel` and what is like them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from aerjob_cli.cli import parameters
from aerjob_cli.cli.times import parse_time
from aerjob_cli.states import Reason, Status
from aerjob_cli.store.listing import JobFilter

_TIME = "TIME"

Statuses = Annotated[
    list[Status] | None, typer.Option("--status", case_sensitive=False, help="In this state; may be repeated.")
]
Reasons = Annotated[
    list[Reason] | None,
    typer.Option(
        "--reason",
        case_sensitive=False,
        metavar="REASON",
        help="Ended for this reason, such as timed_out; may be repeated.",
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", parser=parameters.text, metavar="TAG", help="With this tag; with all of several."),
]
Group = Annotated[str | None, typer.Option("--group", parser=parameters.text, metavar="GROUP", help="In this group.")]
Name = Annotated[
    str | None,
    typer.Option(
        "--name", parser=parameters.text, metavar="TEXT", help="With this name; * is any text, ? any character."
    ),
]
Backend = Annotated[
    str | None, typer.Option("--backend", parser=parameters.text, metavar="NAME", help="For this simulator.")
]
Since = Annotated[
    int | None,
    typer.Option(
        "--since",
        parser=parse_time,
        metavar=_TIME,
        help="Submitted from then on: 2026-01-31, 2026-01-31T12:00, today, yesterday, or 2h ago as 2h.",
    ),
]
Until = Annotated[int | None, typer.Option("--until", parser=parse_time, metavar=_TIME, help="Submitted before then.")]


def job_filter(
    *,
    statuses: Sequence[Status] | None = None,
    reasons: Sequence[Reason] | None = None,
    tags: Sequence[str] | None = None,
    group: str | None = None,
    name: str | None = None,
    backend: str | None = None,
    since_us: int | None = None,
    until_us: int | None = None,
) -> JobFilter:
    """Make the filter of what was given on the command line."""
    return JobFilter(
        statuses=tuple(statuses or ()),
        reasons=tuple(reasons or ()),
        tags=tuple(tags or ()),
        group=group,
        name=name,
        backend=backend,
        since_us=since_us,
        until_us=until_us,
    )
