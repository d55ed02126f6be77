"""`worker logs`: what the worker wrote of itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from aerjob_cli.cli import interrupts, parameters, streams
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.worker import LogLines
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.services.here import service_of
from aerjob_cli.cli.worker_log import LogReader
from aerjob_cli.errors import StoreUnusable

_LINES_AT_MOST = 2**31 - 1
_LOOK_EVERY_S = 0.2


def register(commands: typer.Typer) -> None:
    """Add the command to the group."""
    own = {130: "Ctrl-C ended --follow"}
    commands.command(epilog=epilog("aerjob worker logs -n 100 --follow", own=own))(logs)


def logs(
    context: typer.Context,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=1, max=_LINES_AT_MOST, help="How many, from the end.")
    ] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines until Ctrl-C.")] = False,
    as_json: parameters.AsJson = False,
) -> Iterator[Answer]:
    """Print the end of the worker's log.

    With --follow and --json each JSON value has the lines that came since the one before, in a line of its own.
    """
    interrupts.only_looking()
    paths = Invocation.of(context, as_json=as_json).settings.paths
    elsewhere, remarks = None, []
    service = service_of(paths.home)
    if service.logs is not None and service.is_enabled():
        elsewhere = service.logs
        remarks.append(f"the worker that {service.name} runs logs elsewhere: {elsewhere}")
    reader = LogReader(paths.worker_log)
    try:
        tail = reader.last(lines)
        if not tail and elsewhere is None:
            remarks.append("no worker has written a log here yet")
        yield LogLines(tail=tail, elsewhere=elsewhere, remarks=tuple(remarks))
        while follow and streams.stays_read(_LOOK_EVERY_S):
            fresh = reader.fresh()
            if fresh:
                yield LogLines(tail=fresh, elsewhere=elsewhere)
    except OSError as error:
        remedy = "the worker goes on without a log; look at what is there"
        raise StoreUnusable(paths.worker_log, f"cannot be read ({error.strerror})", remedy) from error
