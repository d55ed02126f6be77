"""A whole screen of the terminal: drawing it, waiting for keys and for signals, and going without a trace.

Signal handlers only note what came. Those that end a command are raised by ``cli.interrupts``.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from aerjob_cli.cli import interrupts, streams
from aerjob_cli.cli.interrupts import Interrupted
from aerjob_cli.cli.live.terminal_modes import TerminalModes

Handler = Callable[[int, FrameType | None], None]

_HOME, _ERASE_TO_LINE_END, _ERASE_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
_NOTED = (signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT)
_KEYS_AT_ONCE = 1024
# For terminals whose encoding has no such characters.
_PLAIN = str.maketrans({"━": "#", "─": "-", "·": "|", "…": "~"})


class Screen:
    """The screen while it is ours."""

    def __init__(self, modes: TerminalModes, keyboard: int | None, wake_up: int) -> None:
        self._modes = modes
        self._keyboard = keyboard
        self._wake_up = wake_up
        self._noted: set[int] = set()

    @property
    def size(self) -> tuple[int, int]:
        """Its columns and lines; raises ``Interrupted`` when it is no more."""
        try:
            columns, lines = os.get_terminal_size(sys.stdout.fileno())
        except OSError:  # the terminal is gone, and SIGHUP was to be ignored
            raise Interrupted(signal.SIGHUP) from None
        # A terminal that does not know its size says 0.
        return columns or 80, lines or 24

    def draw(self, lines: Sequence[str]) -> None:
        """Show these lines and no others; none of them may be wider than the screen less one column."""
        text = _HOME + f"{_ERASE_TO_LINE_END}\r\n".join(lines) + _ERASE_TO_LINE_END + _ERASE_BELOW
        streams.to_stdout(_in_encoding(text, sys.stdout.encoding))

    def wait(self, timeout_s: float) -> tuple[str, bool]:
        """Wait for keys, a signal or the end of the time; give the keys, and whether the screen must be drawn anew.

        Raises ``Interrupted`` when nobody can press a key any more.
        """
        awaited = [self._wake_up] if self._keyboard is None else [self._wake_up, self._keyboard]
        ready, _, _ = select.select(awaited, [], [], max(0.0, timeout_s))
        if self._wake_up in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_up, _KEYS_AT_ONCE)
        is_outdated = self._answer_signals()
        if self._keyboard is None or self._keyboard not in ready:
            return "", is_outdated
        return self._keys(self._keyboard), is_outdated

    def note(self, number: int, frame: FrameType | None) -> None:
        """Be the handler of a signal: note that it came."""
        self._noted.add(number)

    def _keys(self, keyboard: int) -> str:
        try:
            keys = os.read(keyboard, _KEYS_AT_ONCE)
        except OSError:
            keys = b""
        if not keys:
            raise Interrupted(signal.SIGHUP)
        return keys.decode(errors="replace")

    def _answer_signals(self) -> bool:
        noted, self._noted = self._noted, set()
        if signal.SIGTSTP in noted:
            self._modes.give_back()
            # Stop as if nobody had taken notice; what follows is done when the process goes on.
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, self.note)
            self._modes.take()
        elif signal.SIGCONT in noted:
            # After a SIGSTOP, which nobody can take notice of, the shell has had the terminal.
            self._modes.take()
        return bool(noted)


@contextmanager
def full_screen() -> Iterator[Screen]:
    """Have the terminal for the block; it is as it was before, however the block ends."""
    keyboard = sys.stdin.fileno() if sys.stdin.isatty() else None
    modes = TerminalModes(keyboard)
    wake_up, waker = os.pipe()
    os.set_blocking(wake_up, False)
    os.set_blocking(waker, False)
    screen = Screen(modes, keyboard, wake_up)
    handlers: dict[signal.Signals, Handler] = dict.fromkeys(_NOTED, screen.note)
    before = {number: signal.getsignal(number) for number in handlers}
    woken_before = signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    try:
        for number, handler in handlers.items():
            if before[number] is not signal.SIG_IGN:
                signal.signal(number, handler)
        modes.take()
        yield screen
    finally:
        with interrupts.put_off():
            modes.give_back()
            for number, usual in before.items():
                signal.signal(number, usual)
            signal.set_wakeup_fd(woken_before)
            os.close(wake_up)
            os.close(waker)


def _in_encoding(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, errors="replace").decode(encoding)
    return text
