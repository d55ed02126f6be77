"""Seeing to it that a worker is there: the doorbell tells whether one listens, a lock lets one client start one.

This module starts the worker as a program and knows nothing of its inside.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time

from aerjob_cli.clock import boot_id
from aerjob_cli.errors import WorkerUnavailable
from aerjob_cli.settings import EXIT_ANOTHER_RUNS
from aerjob_cli.store import forks, workers
from aerjob_cli.store.database import Store
from aerjob_cli.store.doorbell import ring
from aerjob_cli.store.flocks import try_flock
from aerjob_cli.store.folder import open_private
from aerjob_cli.store.jobs import needs_worker
from aerjob_cli.store.records import WorkerRecord
from aerjob_cli.version import __version__, is_older

# A worker that cannot start will not start the fourth time either.
_FAILED_STARTS_AT_MOST = 3
# How often a client that waits looks after the worker.
ATTEND_EVERY_S = 1.0


class WorkerLauncher:
    """Starts a worker for one store when jobs are pending and none works on them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._started: subprocess.Popen[bytes] | None = None
        self._started_us = 0
        self._failed_starts = 0
        self._attended_s = -math.inf

    def call(self) -> None:
        """Wake the worker after a commit, or start one where none listens or an older one works."""
        if ring(self._store.paths.doorbell):
            with self._store.reading_directly() as tx:
                alive = workers.alive(tx)
            self._hand_over(alive)
        else:
            self._start()
        self._attended_s = time.monotonic()

    def attend_if_due(self) -> None:
        """Do what ``attend`` does, unless that or a call was less than a second ago."""
        if time.monotonic() - self._attended_s >= ATTEND_EVERY_S:
            self.attend()

    def attend(self) -> None:
        """Do now and then while waiting: start a worker for pending jobs, replace one that is silent or older.

        Raises ``WorkerUnavailable`` when workers end as soon as they are started.
        """
        self._attended_s = time.monotonic()
        # A new store in the place of a deleted one would not have the jobs that are waited for.
        self._store.require_present()
        self._note_failed_start()
        with self._store.reading_directly() as tx:
            if not needs_worker(tx):
                return
            alive = workers.alive(tx)
        if not ring(self._store.paths.doorbell):
            self._start()
            return
        if alive and alive[0].is_silent(boot_id=boot_id(), monotonic_s=self._store.clock.monotonic_s()):
            self._start()
        else:
            self._hand_over(alive)

    def _hand_over(self, alive: list[WorkerRecord]) -> None:
        """Have a worker of an earlier aerjob finish and leave, and start one after it; a later one is left alone."""
        if not alive:
            return
        listening = alive[0]
        if listening.drain_requested_us is None:
            if not is_older(listening.aerjob_version, __version__):
                return
            with self._store.writing_directly() as tx:
                workers.request_drain(tx, listening.worker_id, now_us=self._store.now_us())
            ring(self._store.paths.doorbell)
        # It waits for the other one's end. Not every client waits for its job and would see to this later.
        self._start()

    def _start(self) -> None:
        # The lock passes to the worker, which lets go of it once it listens: of many clients one starts one worker.
        with forks.none():
            with self._store.told():
                self._store.require_present()  # since it was read; another one in its place gets no worker from here
                lock = try_flock(self._store.paths.starter_lock)
            if lock is None:
                return
            try:
                self._started_us = self._store.now_us()
                self._started = spawn_worker(self._store, starter_lock=lock.descriptor)
            finally:
                lock.release()

    def _note_failed_start(self) -> None:
        if self._started is None or (code := self._started.poll()) is None:
            return
        pid, self._started = self._started.pid, None
        self._failed_starts = self._failed_starts + 1 if code not in (0, EXIT_ANOTHER_RUNS) else 0
        if self._failed_starts >= _FAILED_STARTS_AT_MOST:
            with self._store.reading_directly() as tx:
                end = workers.end_of(tx, pid, since_us=self._started_us)
            why = "" if end is None else f" ({end})"
            raise WorkerUnavailable(
                f"the worker ended with code {code} as soon as it was started{why}; `aerjob worker logs` says more, "
                "and the jobs are kept"
            )


def spawn_worker(
    store: Store, *, starter_lock: int | None = None, arguments: tuple[str, ...] = ()
) -> subprocess.Popen[bytes]:
    """Start a worker that survives this process and its terminal; its output goes to the store's log."""
    command = [sys.executable, "-P", "-m", "aerjob_cli.worker", "--home", str(store.paths.home), *arguments]
    if starter_lock is not None:
        command += ["--starter-lock", str(starter_lock)]
    log = _open_log(store)
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
            pass_fds=() if starter_lock is None else (starter_lock,),
        )
    finally:
        os.close(log)


def _open_log(store: Store) -> int:
    try:
        return open_private(store.paths.worker_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except OSError:
        # Read-only, or no file at all: a worker without a log is better than none.
        return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
