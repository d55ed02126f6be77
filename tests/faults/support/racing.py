"""Processes that act on one store at the same instant, round after round."""

from __future__ import annotations

import multiprocessing
import random
import time
import traceback
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from aerjob_cli.settings import StorePaths
from aerjob_cli.store.database import Store
from tests.faults.support.moves import Move

# How far apart the racers begin, at random: about what one of them takes, so that each comes first now and then.
_SPREAD_S = 0.002
# Now and then one of them is ahead by more than that, so that no order is left to chance alone.
_HEAD_START_S = 0.006
_ROUNDS_PER_HEAD_START = 4
# Enough for every racer to be at the line when the start is.
_LEAD_S = 0.002
_DEADLINE_S = 120.0
_CONTEXT = multiprocessing.get_context("fork")


class Racers:
    """Some processes, each with its own connections to the store."""

    def __init__(self, paths: StorePaths, count: int, *, chance: random.Random) -> None:
        self._chance = chance
        self._rounds = 0
        self._lines: list[Connection] = []
        self._processes = []
        for _ in range(count):
            ours, theirs = _CONTEXT.Pipe()
            process = _CONTEXT.Process(target=_race, args=(theirs, paths), daemon=True)
            process.start()
            theirs.close()
            self._lines.append(ours)
            self._processes.append(process)

    def __enter__(self) -> Racers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self._lines:
            line.close()
        for process in self._processes:
            process.kill()
            process.join()

    def race(self, *moves: Move, deadline_s: float = _DEADLINE_S) -> list[Any]:
        """Have each move made by a process of its own, all at about the same instant; give what they answered."""
        lines = self._lines[: len(moves)]
        start_s = time.monotonic() + _LEAD_S
        ahead, rest = divmod(self._rounds, _ROUNDS_PER_HEAD_START)
        self._rounds += 1
        for number, (line, move) in enumerate(zip(lines, moves, strict=True)):
            held_up_s = _HEAD_START_S if rest == 0 and number != ahead % len(moves) else 0.0
            line.send((move, start_s + held_up_s + self._chance.uniform(0, _SPREAD_S)))
        return [_answer(line, deadline_s) for line in lines]

    def do(self, move: Move) -> Any:
        """Have one process make one move."""
        return self.race(move)[0]


def _answer(line: Connection, deadline_s: float) -> Any:
    assert line.poll(deadline_s), "a racer does not come back"
    is_answer, value = line.recv()
    assert is_answer, value
    return value


def _race(line: Connection, paths: StorePaths) -> None:
    store = Store.open(paths)
    while True:
        try:
            move, start_s = line.recv()
        except EOFError:
            return
        while time.monotonic() < start_s:
            pass
        try:
            line.send((True, move(store)))
        except BaseException:  # noqa: BLE001 - whatever it is, the test tells of it
            line.send((False, traceback.format_exc()))
