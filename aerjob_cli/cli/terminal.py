"""Printing an answer for a person at a terminal, with Rich. Nothing from outside is taken for Rich's markup."""

from __future__ import annotations

from importlib import import_module

from rich.console import Console, RenderableType
from rich.text import Text

from aerjob_cli.cli import streams
from aerjob_cli.cli.answers.base import Answer


def print_for_person(answer: Answer) -> None:
    """Print an answer on the terminal."""
    console = Console(highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        for part in _parts(answer):
            # A line of text, an id above all, is not broken.
            console.print(part, soft_wrap=isinstance(part, Text))
    streams.to_stdout(captured.get())


def _parts(answer: Answer) -> list[RenderableType]:
    if answer.screen is None:
        return [Text(line) for line in answer.lines()]
    parts: list[RenderableType] = import_module(f"aerjob_cli.cli.screens.{answer.screen}").parts(answer)
    return parts
