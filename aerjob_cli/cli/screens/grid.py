"""Columns whose widths are in cells of a terminal: what is too wide is cut, and nothing is ever wrapped."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from aerjob_cli.frozen import dataclass

_GAP = " "


@dataclass(frozen=True)
class Grid:
    """The widths of columns; those from ``first_on_the_right`` on are set flush right."""

    widths: tuple[int, ...]
    first_on_the_right: int

    def line(self, cells: Sequence[str | Text], *, style: str = "") -> Text:
        """Put cells side by side, each cut to its column."""
        line = Text(style=style, no_wrap=True)
        for index, (cell, width) in enumerate(zip(cells, self.widths, strict=True)):
            text = Text(cell) if isinstance(cell, str) else cell.copy()
            text.truncate(width, overflow="ellipsis")
            text.align("right" if index >= self.first_on_the_right else "left", width)
            line.append_text(text)
            line.append(_GAP)
        line.rstrip()
        return line


def bar(done: int, total: int | None, width: int) -> Text:
    """Draw how much is done, so that it can be seen without colours as well."""
    filled = 0 if not total else min(width, done * width // total)
    return Text.assemble(("━" * filled, "blue"), ("─" * (width - filled), "dim"))


def share(rows: int, wanted: Sequence[int], *, at_least: int) -> list[int]:
    """Divide rows among lists: each gets ``at_least`` as far as it wants so many, the first ones then what is left."""
    granted = [0] * len(wanted)
    for limit in (at_least, rows):
        for index, count in enumerate(wanted):
            more = min(count, limit) - granted[index]
            granted[index] += max(0, min(more, rows - sum(granted)))
    return granted
