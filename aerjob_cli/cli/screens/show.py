"""One job with all that is known of it, on a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.provenance import experiment_row
from aerjob_cli.cli.answers.show import JobView
from aerjob_cli.cli.screens.styles import status_text
from aerjob_cli.states import Status

_FILES_SHOWN = 20
_EXPERIMENTS_SHOWN = 100
_INDENT = (0, 0, 0, 2)
# As many digits as one compares by eye; --json has them all.
_SHA256_SHOWN = 12


def parts(answer: Answer) -> list[RenderableType]:
    """Give what to print, one below the other."""
    if not isinstance(answer, JobView):
        raise TypeError(f"{type(answer).__name__} has no screen of one job")
    shown: list[RenderableType] = [_facts(answer)]
    shown += [_heading("Circuits"), Padding(_files(answer), _INDENT)]
    left_out = len(answer.dossier.files) - _FILES_SHOWN
    if left_out > 0:
        shown.append(Text(f"  … and {left_out} more; --json has them all", style="dim"))
    if answer.experiments:
        shown += [_heading("Experiments"), Padding(_experiments(answer), _INDENT)]
        left_out = len(answer.experiments) - _EXPERIMENTS_SHOWN
        if left_out > 0:
            shown.append(Text(f"  … and {left_out} more; --json has them all", style="dim"))
    shown += [_heading("History"), Padding(_events(answer), _INDENT)]
    if stderr := answer.stderr():
        shown += [_heading("The end of what its process wrote on stderr"), Padding(Text("\n".join(stderr)), _INDENT)]
    return shown


def _facts(answer: JobView) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in answer.facts():
        table.add_row(label, status_text(answer.dossier.job.status) if label == "status" else Text(value))
    return table


def _files(answer: JobView) -> Table:
    table = _plain_table()
    table.add_column(no_wrap=True, justify="right")
    table.add_column(overflow="fold")
    for justify in ("left", "right", "left"):
        table.add_column(no_wrap=True, justify=justify)
    for number, name, form, size, sha256 in list(answer.files())[:_FILES_SHOWN]:
        table.add_row(*map(Text, (number, name, form, size, f"sha256 {sha256[:_SHA256_SHOWN]}…")))
    return table


def _experiments(answer: JobView) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("", "name", "attempt", "seed", "method", "threads", "time", "memory"):
        is_word = heading in ("name", "method")
        table.add_column(heading, overflow="fold", no_wrap=not is_word, justify="left" if is_word else "right")
    for experiment in answer.experiments[:_EXPERIMENTS_SHOWN]:
        table.add_row(*map(Text, experiment_row(experiment)))
    return table


def _events(answer: JobView) -> Table:
    table = _plain_table()
    for _ in ("when", "state", "attempt"):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for when, state, attempt, _, why in answer.events():
        table.add_row(Text(when), status_text(Status(state)), Text(attempt and f"attempt {attempt}"), Text(why))
    return table


def _plain_table() -> Table:
    return Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))


def _heading(text: str) -> Text:
    return Text(f"\n{text}", style="bold")
