"""Where jobs are, on a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.status import JobStates
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.columns import progress
from aerjob_cli.cli.screens.styles import status_text

# A longer one leaves too little for what matters.
_NAME_CELLS = 20


def parts(answer: Answer) -> list[RenderableType]:
    """Give what to print, one below the other."""
    if not isinstance(answer, JobStates):
        raise TypeError(f"{type(answer).__name__} has no screen of states")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("JOB", "STATUS"):
        table.add_column(heading, no_wrap=True, overflow="fold")
    table.add_column("DONE", no_wrap=True, overflow="fold", justify="right")
    table.add_column("NAME", no_wrap=True, overflow="ellipsis", max_width=_NAME_CELLS)
    table.add_column(overflow="fold", ratio=1)
    for state in answer.states:
        job = state.job
        table.add_row(
            answer.short_ids.get(job.job_id, job.job_id),
            status_text(job.status),
            progress(job),
            Text(clean(job.name or "")),
            Text(state.what_matters()),
        )
    return [table]
