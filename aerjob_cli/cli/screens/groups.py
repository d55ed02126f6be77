"""Where a group is, on a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.groups import GroupState
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.screens.grid import bar
from aerjob_cli.cli.screens.styles import status_text

_BAR_CELLS = 20
# A longer one leaves too little for what matters.
_NAME_CELLS = 20


def parts(answer: Answer) -> list[RenderableType]:
    """Give what to print, one below the other."""
    if not isinstance(answer, GroupState):
        raise TypeError(f"{type(answer).__name__} has no screen of groups")
    far = answer.progress
    jobs, experiments, states, times = answer.figures()
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=_NAME_CELLS)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(
        Text(clean(far.sums.name)), status_text(far.status), bar(far.jobs_ended, far.jobs_total, _BAR_CELLS), Text(jobs)
    )
    return [table, Text(f"  {states}"), Text(f"  {experiments}, {times}")]
