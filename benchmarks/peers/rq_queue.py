"""RQ with a Redis server of its own on a socket, and two of its simple workers, which do not fork for each job."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.site import until

_WARM_UP = 40


class RqQueue:
    """Running workers, and the queue that they work on."""

    def __init__(self, connection: Any, workers: list[subprocess.Popen[bytes]]) -> None:
        from rq import Queue

        self._workers = workers
        self._queue: Any = Queue(connection=connection)

    def seconds_for(self, texts: list[str]) -> float:
        """Queue all texts while the workers are stopped, and give how long it takes until the last one is finished."""
        self._put(texts[:_WARM_UP])
        self._await(len(texts[:_WARM_UP]))
        self._signal(signal.SIGSTOP)
        try:
            self._put(texts)
        finally:
            began_s = time.perf_counter()
            self._signal(signal.SIGCONT)
        self._await(len(texts))
        return time.perf_counter() - began_s

    def _put(self, texts: list[str]) -> None:
        registry = self._queue.finished_job_registry
        for job_id in registry.get_job_ids():
            registry.remove(job_id, delete_job=True)
        self._queue.enqueue_many(
            [self._queue.prepare_data("benchmarks.peers.rq_tasks.counts_of", args=(text,)) for text in texts]
        )

    def _await(self, count: int) -> None:
        until(lambda: self._queue.finished_job_registry.count >= count or None, every_s=0.005)

    def _signal(self, number: signal.Signals) -> None:
        for worker in self._workers:
            os.kill(worker.pid, number)


def why_not() -> str | None:
    """Say what is missing for it here."""
    try:
        import redis  # noqa: F401 - looked for
        import rq  # noqa: F401 - looked for
    except ImportError as error:
        return f"{error.name} is not installed"
    return None if shutil.which("redis-server") else "redis-server is not installed"


@contextmanager
def rq_queue(folder: Path, *, processes: int) -> Iterator[RqQueue]:
    """Start a server with its defaults and as many workers, and end them."""
    import redis

    address = folder / "redis.sock"
    server = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", str(address), "--dir", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    workers: list[subprocess.Popen[bytes]] = []
    connection = redis.Redis(unix_socket_path=str(address))
    command = [sys.executable, "-m", "rq.cli", "worker", "--worker-class", "rq.worker.SimpleWorker", "--quiet"]
    try:
        until(lambda: _answers(connection) or None)
        for _ in range(processes):
            workers.append(subprocess.Popen([*command, "--url", f"unix://{address}"], stdin=subprocess.DEVNULL))
        yield RqQueue(connection, workers)
    finally:
        for process in (*workers, server):
            process.kill()
            process.wait()


def _answers(connection: Any) -> bool:
    import redis

    with suppress(redis.ConnectionError):
        return bool(connection.ping())
    return False
