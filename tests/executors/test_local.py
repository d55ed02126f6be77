"""The pool on this host, with its real template and executors."""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerjob_cli.executors.local import LocalPool
from aerjob_cli.executors.pool import Ended, PoolEvent, Started
from aerjob_cli.executors.scratch import Scratch

DEADLINE_S = 60.0


class Loop:
    """Turns as a worker's loop does."""

    def __init__(self, pool: LocalPool) -> None:
        self.pool = pool
        self._selector = selectors.DefaultSelector()
        pool.attach(self._selector)

    def until(self, kind: type[PoolEvent], *, count: int = 1) -> list[PoolEvent]:
        """Turn until the pool has told ``count`` events of that kind."""
        found: list[PoolEvent] = []
        deadline_s = time.monotonic() + DEADLINE_S
        while len(found) < count:
            assert time.monotonic() < deadline_s, f"{len(found)} of {count} were told"
            for key, _ in self._selector.select(0.5):
                key.data()
            found += [event for event in self.pool.poll() if isinstance(event, kind)]
        return found


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    pool = LocalPool(scratch=Scratch(tmp_path, "worker"))
    yield Loop(pool)
    pool.close()


def test_a_kill_right_after_the_fork_ends_the_executor(loop: Loop) -> None:
    """Just after the fork an executor leads no process group yet, and must end all the same."""
    loop.pool.start()
    loop.until(Started)
    for _ in range(30):
        loop.pool.kill(loop.pool.fork())
    ends = loop.until(Ended, count=30)
    assert {event.executor.serial for event in ends if isinstance(event, Ended)} == set(range(1, 31))
