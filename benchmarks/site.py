"""One store of a benchmark's own, and the worker that works on it; both go when the benchmark is done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from aerjob_cli import BasicAerProvider
from aerjob_cli.api.client import Client
from aerjob_cli.processes import is_running, kill_exactly
from aerjob_cli.store import workers
from aerjob_cli.store.connections import raw_connection
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import WorkerRecord
from benchmarks.meters import is_stopped

# Whoever waits this long for something has met a fault, not a slow machine.
DEADLINE_S = 300.0
_LOOK_EVERY_S = 0.001

Found = TypeVar("Found")


class Site:
    """A store under ``home``, seen from Python and from the command line."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.provider = BasicAerProvider(home)

    @property
    def client(self) -> Client:
        """The client of the store, which is made at the first use."""
        return self.provider.client

    @property
    def store(self) -> Store:
        """The open store."""
        return self.client.store

    @property
    def environment(self) -> dict[str, str]:
        """The variables under which commands find this store."""
        return {**os.environ, "AERJOB_HOME": str(self.home)}

    def aerjob(self, *arguments: str) -> str:
        """Run a command of aerjob's and give what it prints."""
        command = [sys.executable, "-m", "aerjob_cli", *arguments]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=self.environment).stdout

    def start_worker(self, *arguments: str) -> WorkerRecord:
        """Start a worker that never leaves by itself, and wait until it and its template are registered."""
        pid = self.spawn_worker(*arguments)
        return until(lambda: next((worker for worker in self.alive() if worker.pid == pid and worker.children), None))

    def spawn_worker(self, *arguments: str) -> int:
        """Start a worker and give its pid at once."""
        command = [sys.executable, "-P", "-m", "aerjob_cli.worker", "--home", str(self.home), "--idle-exit", "0"]
        return subprocess.Popen([*command, *arguments], stdin=subprocess.DEVNULL, start_new_session=True).pid

    def alive(self) -> list[WorkerRecord]:
        """Give the workers that have not ended by their own account, the latest first."""
        with self.store.reading() as tx:
            return workers.alive(tx)

    def worker(self) -> WorkerRecord:
        """Give the worker that runs."""
        return self.alive()[0]

    @contextmanager
    def held_worker(self) -> Iterator[None]:
        """Stop the worker (SIGSTOP), so that jobs queue, and have it go on at the end."""
        pid = self.worker().pid
        try:
            until(lambda: self._is_held(pid) or None)
            yield
        finally:
            with suppress(ProcessLookupError):  # it may have been killed meanwhile
                os.kill(pid, signal.SIGCONT)

    def _is_held(self, pid: int) -> bool:
        """Stop a process; one that was about to write goes on, since nobody else could write then."""
        os.kill(pid, signal.SIGSTOP)
        until(lambda: is_stopped(pid) or None)
        connection = raw_connection(self.store.paths.database, busy_timeout_s=0)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except connection.OperationalError:
            os.kill(pid, signal.SIGCONT)
            return False
        finally:
            connection.close()
        return True

    def kill_worker(self) -> None:
        """Kill the worker (SIGKILL) and wait until it and all that it started are gone."""
        for worker in self.alive():
            kill_exactly(worker.pid, worker.pid_started)
            _reap(worker.pid)
            for child in worker.children:
                kill_exactly(child.pid, child.started, whole_group=True)
            for child in worker.children:
                _await_end(child.pid, child.started)

    def close(self) -> None:
        """Kill the worker and close the store."""
        self.kill_worker()
        self.client.close()


@contextmanager
def site_in(home: Path) -> Iterator[Site]:
    """Give a site and clear up after it."""
    site = Site(home)
    try:
        yield site
    finally:
        site.close()


def end_on_sigterm() -> None:
    """Have SIGTERM end this program as Ctrl-C does, so that it ends what it has started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def until(look: Callable[[], Found | None], *, every_s: float = _LOOK_EVERY_S) -> Found:
    """Look again and again until something is found; raises ``TimeoutError``."""
    deadline_s = time.monotonic() + DEADLINE_S
    while (found := look()) is None:
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"nothing was found within {DEADLINE_S:g} s")
        time.sleep(every_s)
    return found


def _await_end(pid: int, started: str) -> None:
    until(lambda: None if is_running(pid, started) else True)


def _reap(pid: int) -> None:
    """Wait for a process that is our child; another one's ends by itself."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return
