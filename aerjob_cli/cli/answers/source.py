"""The text that a job was submitted with, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.frozen import dataclass


@dataclass(frozen=True, kw_only=True)
class SourceText(Answer):
    """A text line by line; it has no JSON form."""

    text: str

    def lines(self) -> Iterator[str]:
        yield from (clean(line.expandtabs()) for line in self.text.splitlines())
