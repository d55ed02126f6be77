"""A bar of block characters, as long as its column is wide; of ``#`` where the encoding has no blocks."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

from aerjob_cli.frozen import dataclass

# Eighths of a character.
_BLOCKS = " ▏▎▍▌▋▊▉█"
_EIGHTHS = 8
_NARROWEST = 4
# Longer ones are no easier to compare.
_WIDEST = 60


@dataclass(frozen=True)
class BlockBar:
    """A share of the longest bar, from 0 to 1."""

    share: float

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(bar(self.share, width=min(options.max_width, _WIDEST), ascii_only=options.ascii_only), style="cyan")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(min(_NARROWEST, options.max_width), min(_WIDEST, options.max_width))


def bar(share: float, *, width: int, ascii_only: bool) -> str:
    """Draw ``share`` of ``width`` columns; what is not zero can be seen."""
    if ascii_only:
        return "#" * max(round(share * width), share > 0)
    eighths = max(round(share * width * _EIGHTHS), share > 0)
    whole, rest = divmod(eighths, _EIGHTHS)
    return _BLOCKS[-1] * whole + (_BLOCKS[rest] if rest else "")
