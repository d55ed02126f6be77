"""`events`: the history of jobs as JSON lines, and what happens from now on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from aerjob_cli.api.event_feed import Page, pages_of_jobs, pages_of_matching
from aerjob_cli.cli import filters, interrupts, parameters, streams
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.events import event_lines
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.errors import UsageError
from aerjob_cli.store.listing import JobFilter

_LARGEST = 2**63 - 1

Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens, each line at once.")]
After = Annotated[
    int | None,
    typer.Option(
        "--after", min=-_LARGEST, max=_LARGEST, metavar="SEQ", help="Only events after the one with this `seq`."
    ),
]
Limit = Annotated[int | None, typer.Option("--limit", "-n", min=1, help="End after so many.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print errors as JSON, too; events are JSON in any case.")]


class _NobodyReads(Exception):
    """The reader of stdout has left."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    own = {130: "Ctrl-C ended --follow"}
    app.command(epilog=epilog("aerjob events --follow --group sweep", 3, 70, own=own))(events)


def events(
    context: typer.Context,
    job_ids: parameters.SomeJobIds = None,
    follow: Follow = False,
    after: After = None,
    limit: Limit = None,
    tag: filters.Tags = None,
    group: filters.Group = None,
    name: filters.Name = None,
    backend: filters.Backend = None,
    as_json: AsJson = False,
) -> Iterator[Answer]:
    """Tell the history of jobs as JSON lines, and follow it.

    One line is one move of a job, the oldest first, always as JSON. Its `seq` is where --after goes on: no event is
    told twice, and none is left out. With ids, --follow ends when these jobs have ended; without, it goes on until
    Ctrl-C, and a worker is started when jobs are pending and none works on them.
    """
    interrupts.only_looking()
    wanted = JobFilter(tags=tuple(tag or ()), group=group, name=name, backend=backend)
    if job_ids and wanted != JobFilter():
        raise UsageError("jobs are meant by their ids, or by options such as --tag; give one of these")
    client = Invocation.of(context, as_json=as_json).client
    # What happened to imported jobs before they came in has numbers below 0.
    cursor = -_LARGEST if after is None else after
    if job_ids:
        pages = pages_of_jobs(client, client.resolve(job_ids), after=cursor, follow=follow, tick=_require_reader)
    else:
        pages = pages_of_matching(client, wanted, after=cursor, follow=follow, tick=_require_reader)
    yield from _told(pages, limit)


def _told(pages: Iterator[Page], limit: int | None) -> Iterator[Answer]:
    left = limit
    try:
        for page in pages:
            yield event_lines(page if left is None else page[:left])
            left = None if left is None else left - len(page)
            if (left is not None and left <= 0) or streams.reader_has_left():
                return
    except _NobodyReads:
        return


def _require_reader() -> None:
    if not streams.stays_read(0):
        raise _NobodyReads
