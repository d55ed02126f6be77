"""The options that say which jobs are meant, for all verbs that take many: `list`, `cancel` and what is like them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from aerjob_cli.cli import parameters
from aerjob_cli.cli.times import parse_age, parse_time
from aerjob_cli.frozen import dataclass
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


OlderThan = Annotated[
    int | None,
    typer.Option(
        "--older-than",
        parser=parse_age,
        metavar="DURATION",
        help="Ended longer ago than this (30d, 12h) or, where it has not ended, submitted longer ago.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class FilterOptions:
    """What a person may say that jobs have in common, in the order of the help text."""

    status: Statuses = None
    tag: Tags = None
    group: Group = None
    name: Name = None
    backend: Backend = None
    since: Since = None
    until: Until = None
    older_than: OlderThan = None

    @property
    def filter(self) -> JobFilter:
        """The filter of what was said, ``JobFilter()`` where nothing was."""
        return JobFilter(
            statuses=tuple(self.status or ()),
            tags=tuple(self.tag or ()),
            group=self.group,
            name=self.name,
            backend=self.backend,
            since_us=self.since,
            until_us=self.until,
            older_than_us=self.older_than,
        )


@dataclass(frozen=True, kw_only=True)
class FilterOptionsWithReason(FilterOptions):
    """The same, and why jobs ended; for verbs whose ``--reason`` means nothing else."""

    reason: Reasons = None

    @property
    def filter(self) -> JobFilter:
        """The filter of what was said, ``JobFilter()`` where nothing was."""
        return replace(super().filter, reasons=tuple(self.reason or ()))
