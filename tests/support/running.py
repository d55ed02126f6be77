"""Real workers for tests: started, watched through rows, and always stopped by their identity."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from aerjob_cli.api.client import Client
from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.api.waiting import wait_for
from aerjob_cli.processes import is_running, kill_exactly
from aerjob_cli.settings import Settings, StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import jobs, workers
from aerjob_cli.store.records import JobRecord, WorkerRecord

# Generous: the machines of tests are small and shared. A test that waits this long has failed.
DEADLINE_S = 120.0

Found = TypeVar("Found")


class Scene:
    """One store, its client, and the workers that work on it."""

    def __init__(self, home: Path) -> None:
        self.paths = StorePaths(home)
        self.client = Client(Settings(paths=self.paths))
        self.store = self.client.store
        self._workers: list[subprocess.Popen[bytes]] = []

    def request(self, text: str, **changes: object) -> Request:
        """Make a request of one OpenQASM 2 text; keywords are fields of ``Request``."""
        circuits = (CircuitBytes("circuit", "openqasm2", text.encode()),)
        fields = {"circuits": circuits, "backend": "qasm_simulator", "shots": 100, "seed": 7}
        return Request(**(fields | changes))  # type: ignore[arg-type]

    def put(self, *requests: Request) -> list[JobRecord]:
        """Submit without starting a worker."""
        self.client._launcher.call = lambda: None  # type: ignore[method-assign]
        return self.client.submit(requests)

    def start_worker(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a worker of our own, so that its end can be awaited, and wait until it is registered."""
        process = self.spawn_worker(*arguments)
        self.wait(lambda tx: self._is_registered(tx, process) or None)
        return process

    def keep_worker(self, *arguments: str) -> None:
        """Start a worker where none of ours runs."""
        if all(process.poll() is not None for process in self._workers):
            self.start_worker(*arguments)

    @property
    def worker_pids(self) -> frozenset[int]:
        """The pids of all workers that were started here, also of those that have ended."""
        return frozenset(process.pid for process in self._workers)

    def start_successor(self) -> subprocess.Popen[bytes]:
        """Start workers, one after the other, until one is allowed to take over from a silent one."""

        def settled(process: subprocess.Popen[bytes]) -> bool | None:
            return process.poll() is not None or self.peek(lambda tx: self._is_registered(tx, process)) or None

        def takes_over() -> subprocess.Popen[bytes] | None:
            process = self.spawn_worker()
            until(lambda: settled(process))
            return process if process.poll() is None else None

        return until(takes_over)

    def spawn_worker(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a worker and leave it to itself."""
        command = [sys.executable, "-P", "-m", "aerjob_cli.worker", "--home", str(self.paths.home), *arguments]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        self._workers.append(process)
        return process

    @staticmethod
    def _is_registered(tx: Connection, process: subprocess.Popen[bytes]) -> bool:
        return any(worker.pid == process.pid for worker in workers.alive(tx))

    def worker(self) -> WorkerRecord:
        """Give the latest worker that is alive by its own account."""
        with self.store.reading() as tx:
            return workers.alive(tx)[0]

    def wait(self, look: Callable[[Connection], Found | None]) -> Found:
        """Wait on rows until ``look`` finds something."""
        found = wait_for(self.store, look, timeout_s=DEADLINE_S, attend=lambda: None)
        assert found is not None, "the deadline of the test is over"
        return found

    def wait_for_status(self, job: JobRecord, *statuses: Status) -> JobRecord:
        """Wait until the job has one of the statuses."""

        def look(tx: Connection) -> JobRecord | None:
            found = jobs.find(tx, job.job_id)
            assert found.status in statuses or not found.status.is_final, found
            return found if found.status in statuses else None

        return self.wait(look)

    def wait_for_executor(self, job: JobRecord) -> int:
        """Wait until the job runs and give the pid of the executor that burns CPU for it."""
        self.wait_for_status(job, Status.RUNNING)
        before: dict[int, float] = {}

        def busy(tx: Connection) -> int | None:
            for child in workers.alive(tx)[0].children[1:]:
                spent_s = cpu_s(child.pid)
                if spent_s - before.setdefault(child.pid, spent_s) > 0.2:
                    return child.pid
            return None

        return until(lambda: self.peek(busy))

    def peek(self, look: Callable[[Connection], Found | None]) -> Found | None:
        """Look once."""
        with self.store.reading() as tx:
            return look(tx)

    def log(self) -> str:
        """Give the worker's log."""
        return self.paths.worker_log.read_text() if self.paths.worker_log.exists() else ""

    def stop(self) -> None:
        """End every worker that this store knows, and all that they started."""
        with contextlib.suppress(Exception), self.store.reading() as tx:
            for worker in workers.alive(tx):
                kill_exactly(worker.pid, worker.pid_started)
                for child in worker.children:
                    kill_exactly(child.pid, child.started, whole_group=True)
        for process in self._workers:
            process.kill()
            process.wait()
        self.client.close()


def until(look: Callable[[], Found | None]) -> Found:
    """Look at a process until something is found; for what no row tells."""
    deadline = time.monotonic() + DEADLINE_S
    while (found := look()) is None:
        assert time.monotonic() < deadline, "the deadline of the test is over"
        time.sleep(0.005)
    return found


def cpu_s(pid: int) -> float:
    """Give the CPU seconds of a process, 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def gone(worker: WorkerRecord) -> bool:
    """Tell whether the worker and all it started have ended."""
    family = [(worker.pid, worker.pid_started), *((child.pid, child.started) for child in worker.children)]
    return not any(is_running(pid, started) for pid, started in family)


@contextlib.contextmanager
def scene_in(home: Path) -> Iterator[Scene]:
    """Set up a scene and stop all of it afterwards."""
    scene = Scene(home)
    try:
        yield scene
    finally:
        scene.stop()
