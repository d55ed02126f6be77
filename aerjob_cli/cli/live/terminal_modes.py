"""The terminal's modes while a whole screen is ours: keys come at once and unseen, the screen is a second one.

Whoever sets a mode here takes it back, whatever happened meanwhile; what cannot be written to a terminal that has gone
is no matter.
"""

from __future__ import annotations

import contextlib
import termios

from aerjob_cli.cli import streams
from aerjob_cli.errors import OutputLost

# xterm: the second screen, with the cursor hidden and everything erased; and back, colours off.
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J\x1b[H"
_LEAVE = "\x1b[0m\x1b[?25h\x1b[?1049l"

_LOCAL_FLAGS, _CONTROL_CHARACTERS = 3, 6  # places in what termios.tcgetattr gives


class TerminalModes:
    """Takes the terminal and gives it back, as often as needed; ``keyboard`` is its descriptor, None without any."""

    def __init__(self, keyboard: int | None) -> None:
        self._keyboard = keyboard
        self._before = None if keyboard is None else termios.tcgetattr(keyboard)

    def take(self) -> None:
        """Show the second screen, and have keys come one by one without being printed."""
        if self._keyboard is not None:
            changed = termios.tcgetattr(self._keyboard)
            changed[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO)
            changed[_CONTROL_CHARACTERS] = [*changed[_CONTROL_CHARACTERS]]
            changed[_CONTROL_CHARACTERS][termios.VMIN] = 1
            changed[_CONTROL_CHARACTERS][termios.VTIME] = 0
            termios.tcsetattr(self._keyboard, termios.TCSADRAIN, changed)
        streams.to_stdout(_ENTER)

    def give_back(self) -> None:
        """Show the first screen as it was, with its cursor, and leave the keys to it."""
        with contextlib.suppress(OutputLost):
            streams.to_stdout(_LEAVE)
        if self._keyboard is not None and self._before is not None:
            with contextlib.suppress(termios.error):
                # What was typed for us is not for the shell.
                termios.tcsetattr(self._keyboard, termios.TCSAFLUSH, self._before)
