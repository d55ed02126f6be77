"""A command on a terminal of its own: what it sends, what a person sees of it, keys, and the modes it leaves."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import pyte

from tests.support.command_line import DEADLINE_S, CommandLine


class PseudoTerminal:
    """The terminal of one command, which leads its session: a key that means a signal sends it."""

    def __init__(
        self,
        aerjob: CommandLine,
        *arguments: str,
        columns: int = 80,
        lines: int = 24,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._master, self._slave = pty.openpty()
        self._set_size(columns, lines)
        self.modes_before = termios.tcgetattr(self._slave)
        self._screen = pyte.Screen(columns, lines)
        self._emulator = pyte.ByteStream(self._screen)
        self.sent = b""
        self.process = subprocess.Popen(
            aerjob.command(*arguments),
            cwd=aerjob.folder,
            env=aerjob.environment({"TERM": "xterm-256color", **(env or {})}),
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
            preexec_fn=_take_stdin_as_terminal,
        )

    def __enter__(self) -> PseudoTerminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)

    @property
    def modes(self) -> list[Any]:
        """The terminal's modes as they are now."""
        return termios.tcgetattr(self._slave)

    @property
    def lines(self) -> list[str]:
        """What stands on the screen, without blanks at the ends of lines."""
        # A character of two cells is followed by an empty one.
        return [
            "".join(self._screen.buffer[row][column].data for column in range(self._screen.columns)).rstrip()
            for row in range(self._screen.lines)
        ]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, is_there: Callable[[str], bool] | str) -> None:
        """Wait until the screen shows a text, or what fits."""
        fits = (lambda text: is_there in text) if isinstance(is_there, str) else is_there
        deadline_s = time.monotonic() + DEADLINE_S
        while not fits(self.text):
            assert time.monotonic() < deadline_s, self.text
            assert self._read() or self.process.poll() is None or fits(self.text), self.text

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def resize(self, *, columns: int, lines: int) -> None:
        """Change the size, of which the kernel tells the command."""
        self._screen.resize(lines, columns)
        self._set_size(columns, lines)

    def end(self) -> int:
        """Wait for the end of the command, take in all that it has sent, and give its exit code."""
        deadline_s = time.monotonic() + DEADLINE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline_s, self.text
            self._read()
        while self._read():
            pass
        return self.process.returncode

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], 0.05)
        if not ready:
            return False
        part = os.read(self._master, 65536)
        self.sent += part
        self._emulator.feed(part)
        return True

    def _set_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def _take_stdin_as_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
