"""One line at the foot of a command that takes a while: drawn again and again, gone when something is printed.

It is on stderr, only where that is a terminal. What it says is the business of others.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aerjob_cli.cli import streams

_STDERR = 2
_EVERY_S = 0.25
_TO_THE_START = "\r"
_ERASE_LINE = "\r\x1b[K"
_WIDTH_WHEN_UNTOLD = 80


class StatusLine:
    """A line of status; does nothing where nobody sees it."""

    def __init__(self, *, is_shown: bool) -> None:
        self.is_shown = is_shown
        self._on_screen: str | None = None
        self._begun_s = self._drawn_s = time.monotonic()

    @property
    def age_s(self) -> float:
        """How long the command has been at it."""
        return time.monotonic() - self._begun_s

    def is_due(self) -> bool:
        """Tell whether to draw now: four times a second at most, and not in the first quarter."""
        if not self.is_shown:
            return False
        now_s = time.monotonic()
        if now_s - self._drawn_s < _EVERY_S or not _is_in_foreground():
            return False
        self._drawn_s = now_s
        return True

    def draw(self, text: str) -> None:
        """Show the text in the place of what was shown before."""
        text = text[: _width() - 1]
        if text == self._on_screen:
            return
        self._on_screen = text
        # The cursor waits at the start, so that a ^C which the terminal prints is taken away as well; the last column
        # stays free, since some terminals wrap when it is filled.
        streams.to_stderr(f"{_ERASE_LINE}{text}{_TO_THE_START}")

    def say(self, text: str) -> None:
        """Show the text at once: what follows takes a while, and nothing can be drawn meanwhile."""
        if self.is_shown and _is_in_foreground():
            self.draw(text)

    def erase(self) -> None:
        """Take the line away, before something is printed and at the end."""
        if self._on_screen is not None:
            streams.to_stderr(_ERASE_LINE)
            self._on_screen = None


@contextmanager
def status_line(*, quiet: bool = False) -> Iterator[StatusLine]:
    """Give a line for the block, unless ``quiet``; whatever ends the block, the line is gone then."""
    line = StatusLine(is_shown=not quiet and can_be_seen())
    try:
        yield line
    finally:
        line.erase()


def can_be_seen() -> bool:
    """Tell whether stderr is a terminal on which a line can be taken away again."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _is_in_foreground() -> bool:
    """Tell whether the terminal is this process's to write on; a job in the background leaves it to the shell."""
    try:
        return os.tcgetpgrp(_STDERR) == os.getpgrp()
    except OSError:  # not the terminal that controls this process
        return True


def _width() -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(_STDERR).columns or _WIDTH_WHEN_UNTOLD
    except OSError:
        return _WIDTH_WHEN_UNTOLD
