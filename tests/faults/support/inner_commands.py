"""Commands run in this process, one after the other: for the thousands of damaged files that each has to be told of.

What a user would see is what is looked at: the exit code, stdout and stderr. A bug shows as the exit code 70.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from aerjob_cli.cli.boundary import run
from aerjob_cli.cli.commands import submit
from aerjob_cli.settings import StorePaths

# Nothing that is asked here takes a second. A command that takes this long hangs.
_DEADLINE_S = 120.0
_BUG = 70


class Hangs(BaseException):
    """A command does not come to its end."""


@dataclass(frozen=True)
class Ended:
    """What a command said and how it ended."""

    arguments: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    def json(self) -> dict[str, Any]:
        """Give the one value that it printed."""
        return dict(json.loads(self.stdout))


@dataclass(frozen=True)
class InnerCommands:
    """Runs `aerjob` on the store at ``home``."""

    home: Path

    def __call__(self, *arguments: str | Path) -> Ended:
        """Run one command to its end; a traceback, a bug and a hang are failures."""
        words = tuple(map(str, arguments))
        stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        stderr = io.StringIO()
        with (
            self._at_home(),
            _usual_signals(),
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
        ):
            code = run(words)
        stdout.seek(0)
        ended = Ended(words, code, stdout.read(), stderr.getvalue())
        assert code != _BUG, (ended, self._details())
        assert "Traceback" not in ended.stdout + ended.stderr, ended
        assert code == 0 or ended.stderr or ended.stdout, ended
        return ended

    @contextlib.contextmanager
    def _at_home(self) -> Iterator[None]:
        names = {"AERJOB_HOME": str(self.home), "AERJOB_OUTPUT": "text"}
        before = {name: os.environ.get(name) for name in names}
        os.environ.update(names)
        # Nobody would give a verdict.
        patience_s, submit._VERDICT_TAKES_AT_MOST_S = submit._VERDICT_TAKES_AT_MOST_S, 0.0
        try:
            yield
        finally:
            submit._VERDICT_TAKES_AT_MOST_S = patience_s
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value

    def _details(self) -> str:
        place = StorePaths(self.home).home / "errors.log"
        return place.read_text() if place.is_file() else ""


@contextlib.contextmanager
def _usual_signals() -> Iterator[None]:
    """Put back the handlers that a command replaces, and end a command that hangs."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise Hangs

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in numbers}
    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, _DEADLINE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
