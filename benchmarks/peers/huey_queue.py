"""Huey on SQLite, as its documentation sets it up: its own consumer with two processes, results in the same file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.site import until

_WARM_UP = 40


class HueyQueue:
    """A running consumer, and the queue that it works on."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        from benchmarks.peers import huey_tasks

        self._process = process
        self._tasks: Any = huey_tasks

    def seconds_for(self, texts: list[str]) -> float:
        """Queue all texts while the consumer is stopped, and give how long it takes until the last result is stored."""
        storage = self._tasks.queue.storage
        storage.flush_results()
        for text in texts[:_WARM_UP]:
            self._tasks.counts_of(text)
        until(lambda: storage.result_store_size() >= len(texts[:_WARM_UP]) or None)
        storage.flush_results()
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            for text in texts:
                self._tasks.counts_of(text)
        finally:
            began_s = time.perf_counter()
            os.killpg(self._process.pid, signal.SIGCONT)
        until(lambda: storage.result_store_size() >= len(texts) or None, every_s=0.005)
        return time.perf_counter() - began_s


@contextmanager
def huey_queue(folder: Path, *, processes: int) -> Iterator[HueyQueue]:
    """Start a consumer that looks for work as often as it may, and end it."""
    os.environ["AERJOB_BENCH_HUEY"] = str(folder / "huey.db")
    program = [sys.executable, "-m", "huey.bin.huey_consumer", "benchmarks.peers.huey_tasks.queue"]
    how = ["--workers", str(processes), "--worker-type", "process", "--delay", "0.01", "--max-delay", "0.01", "--quiet"]
    process = subprocess.Popen([*program, *how], stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield HueyQueue(process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
