"""Huey on SQLite, as its documentation sets it up: its own consumer with two processes, results in the same file."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.site import until

DATABASE = "AERJOB_BENCH_HUEY"  # the environment's variable that names the file
_WARM_UP = 40
_STOPPED_AFTER_S = 0.01


class HueyQueue:
    """A running consumer, and the queue that it works on."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        from benchmarks.peers import huey_tasks

        self._process = process
        self._tasks: Any = huey_tasks

    def seconds_for(self, texts: list[str]) -> float:
        """Queue all texts while the consumer is stopped, and give how long it takes until the last result is stored.

        It is stopped before and after, too, since it looks for work a hundred times a second.
        """
        storage = self._tasks.queue.storage
        storage.flush_results()
        self._go_on()
        for text in texts[:_WARM_UP]:
            self._tasks.counts_of(text)
        until(lambda: storage.result_store_size() >= len(texts[:_WARM_UP]) or None)
        storage.flush_results()
        self.hold()
        for text in texts:
            self._tasks.counts_of(text)
        began_s = time.perf_counter()
        self._go_on()
        until(lambda: storage.result_store_size() >= len(texts) or None, every_s=0.005)
        seconds = time.perf_counter() - began_s
        self.hold()
        return seconds

    def hold(self) -> None:
        """Stop the consumer at a moment at which it does not write, or nobody else could."""
        until(lambda: self._is_held() or None)

    def _is_held(self) -> bool:
        os.killpg(self._process.pid, signal.SIGSTOP)
        time.sleep(_STOPPED_AFTER_S)
        with closing(sqlite3.connect(os.environ[DATABASE], timeout=0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                self._go_on()
                return False
        return True

    def _go_on(self) -> None:
        os.killpg(self._process.pid, signal.SIGCONT)


@contextmanager
def huey_queue(folder: Path, *, processes: int) -> Iterator[HueyQueue]:
    """Start a consumer that looks for work as often as it may, and end it."""
    os.environ[DATABASE] = str(folder / "huey.db")
    program = [sys.executable, "-m", "huey.bin.huey_consumer", "benchmarks.peers.huey_tasks.queue"]
    how = ["--workers", str(processes), "--worker-type", "process", "--delay", "0.01", "--max-delay", "0.01", "--quiet"]
    process = subprocess.Popen([*program, *how], stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        queue = HueyQueue(process)
        queue.hold()
        yield queue
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
