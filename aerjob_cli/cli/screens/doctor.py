"""What the doctor found, on a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.doctor import Diagnosis
from aerjob_cli.cli.checkup.finding import State
from aerjob_cli.cli.cleaning import clean

_STYLES = {State.GOOD: "green", State.NOTE: "yellow", State.WRONG: "bold red"}


def parts(answer: Answer) -> list[RenderableType]:
    """Give what to print, one below the other."""
    if not isinstance(answer, Diagnosis):
        raise TypeError(f"{type(answer).__name__} has no screen of the doctor")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for finding in answer.findings:
        state = Text(finding.state, style=_STYLES[finding.state])
        table.add_row(state, clean(finding.subject), Text(clean(finding.fact)))
        if finding.remedy is not None:
            table.add_row("", "", Text(f"→ {clean(finding.remedy)}"))
    return [table]
