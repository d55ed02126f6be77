"""A command on a store, done again and again from the same start, with a fault at another system call each time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from aerjob_cli.settings import StorePaths
from tests.faults.support.forked_commands import Ended, Forked, Program, forked
from tests.faults.support.system_calls import (
    FAILING_DISK,
    KILL,
    Call,
    Point,
    attached,
    calls_in,
    points_beyond,
    points_of,
    was_hit,
)
from tests.support.matrix import Matrix

# A test of each: the process is killed, and it gets an error where it is not.
each_fault = pytest.mark.parametrize("faults", [KILL, FAILING_DISK], ids=["kill", "failing disk"])
_TRACER_ENDS_WITHIN_S = 60.0


@dataclass(frozen=True)
class Deed:
    """A program and its arguments, in a folder with the store ``template`` that it starts from, if it starts from one.

    What it makes is in ``stage``; the calls on files in there are those that count.
    """

    folder: Path
    program: Program
    arguments: Sequence[str]

    @property
    def stage(self) -> Path:
        return self.folder / "stage"

    @property
    def paths(self) -> StorePaths:
        return StorePaths(self.stage / "home")

    def set_up(self) -> None:
        """Put everything as it was before the deed."""
        shutil.rmtree(self.stage, ignore_errors=True)
        self.stage.mkdir()
        if (self.folder / "template").exists():
            shutil.copytree(self.folder / "template", self.paths.home)

    def do(self) -> Ended:
        """Do it undisturbed."""
        with self._forked() as process:
            process.go()
            return process.end()

    def strike(self, matrix: Matrix, faults: Sequence[str], *, name: str) -> Iterator[tuple[Point, Ended]]:
        """Do it anew for each point at which one of the faults can strike; give the point and how the process ended.

        What was done remains for the caller to look at.
        """
        self.set_up()
        _, calls, _ = self._trace()
        beyond = points_beyond(self._log) if matrix.is_full else []
        for point in points_of(calls, faults, matrix, name=name):
            self.set_up()
            ended, _, hit = self._trace(point)
            assert hit, f"{point} did not strike: {ended}"
            yield point, ended
        for point in beyond:
            self.set_up()
            ended, _, hit = self._trace(point)
            assert not hit, f"{point} struck: {ended}"

    @property
    def _log(self) -> Path:
        return self.folder / "trace"

    def _trace(self, point: Point | None = None) -> tuple[Ended, tuple[Call, ...], bool]:
        with self._forked() as process, attached(process.pid, self._log, point=point) as tracer:
            process.go()
            ended = process.end()
            tracer.wait(_TRACER_ENDS_WITHIN_S)
        return ended, calls_in(self._log, self.stage), point is not None and was_hit(self._log, point)

    def _forked(self) -> AbstractContextManager[Forked]:
        return forked(self.program, *self.arguments, home=self.paths.home, outputs=self.folder)


def check_end(point: Point, ended: Ended) -> None:
    """See to it that a command says a disk's failure in one sentence and exits with 5, or does without what failed."""
    if point.fault == "SIGKILL":
        assert ended.exit_code == -9, (point, ended)
        return
    assert ended.exit_code in (0, 5), (point, ended)
    assert "Traceback" not in ended.stderr, (point, ended)
    assert (ended.stdout == "") == (ended.exit_code == 5), (point, ended)
    if ended.exit_code == 5:
        assert ended.stderr.startswith("aerjob: "), (point, ended)
        assert ended.stderr.count("\n") == 1, (point, ended)
