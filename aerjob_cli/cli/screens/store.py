"""The store on a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.store import StoreCheck, StoreInfo


def parts(answer: Answer) -> list[RenderableType]:
    """Give what to print, one below the other."""
    match answer:
        case StoreInfo():
            return [_facts(answer)]
        case StoreCheck():
            repairs = [Text.assemble(("repaired", "yellow"), f"  {sentence}") for sentence in answer.repairs()]
            if answer.findings.is_sound:
                return [*repairs, Text.assemble(("sound", "green"), f"  {answer.verdict()}")]
            return [*repairs, _problems(answer)]
        case _:
            raise TypeError(f"{type(answer).__name__} has no screen of the store")


def _facts(answer: StoreInfo) -> Table:
    table = _two_columns("bold")
    for name, value in answer.facts():
        table.add_row(name, Text(value))
    return table


def _problems(answer: StoreCheck) -> Table:
    table = _two_columns("red")
    for kind, message in answer.problems():
        table.add_row(kind, Text(message))
    return table


def _two_columns(style: str) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style=style, no_wrap=True)
    table.add_column(overflow="fold")
    return table
