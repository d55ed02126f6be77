"""What the screens have in common: the colour of a state."""

from __future__ import annotations

from rich.text import Text

from aerjob_cli.states import Status

_COLOURS = {
    Status.INITIALIZING: "cyan",
    Status.VALIDATING: "cyan",
    Status.QUEUED: "yellow",
    Status.RUNNING: "blue",
    Status.DONE: "green",
    Status.ERROR: "red",
    Status.CANCELLED: "magenta",
}


def status_text(status: Status) -> Text:
    """Write a state in its colour."""
    return Text(status, style=_COLOURS[status])
