"""One worker as a process: it takes the store's lock, hangs the doorbell, runs the loop and leaves in order."""

from __future__ import annotations

import os
import selectors
import socket
import time
import uuid

from aerjob_cli.clock import boot_id
from aerjob_cli.errors import StoreBusy, StoreUnusable
from aerjob_cli.executors.local import LocalPool
from aerjob_cli.processes import kill_exactly, started_of
from aerjob_cli.settings import EXIT_ANOTHER_RUNS, StorePaths, WorkerSettings
from aerjob_cli.store import workers
from aerjob_cli.store.database import Store
from aerjob_cli.store.doorbell import Doorbell, is_heard
from aerjob_cli.store.flocks import Flock, flock, replace_flock, try_flock
from aerjob_cli.store.records import WorkerRecord
from aerjob_cli.version import __version__
from aerjob_cli.worker import journal
from aerjob_cli.worker.rescue import succeed
from aerjob_cli.worker.signals import Signals
from aerjob_cli.worker.supervisor import Supervisor

EXIT_DONE = 0
EXIT_FAILED = 70

# How long a write of the worker may wait for other processes; then it is tried on the next turn of the loop.
_BUSY_TIMEOUT_S = 0.05
# A holder that does not listen is starting or draining; the latter takes as long as its grace.
_UNDECIDED_AT_MOST_S = 300.0
_UNDECIDED_RETRY_S = 0.05
# A silent holder that was stopped in the middle of a write keeps everybody from writing.
_SILENT_WRITE_AT_MOST_S = 5.0


def run(paths: StorePaths, settings: WorkerSettings, *, starter_lock: int | None = None) -> int:
    """Be the worker of a store until there is a reason to end; give the exit code of the process.

    ``starter_lock`` is a locked descriptor that keeps clients from starting more workers until this one listens.
    Raises ``StoreUnusable``.
    """
    store = Store.open(paths)
    journal.begin(paths, foreground=settings.foreground)
    lock = _take_lock(store)
    if lock is None:
        journal.left_to_another()
        return EXIT_ANOTHER_RUNS
    try:
        return _work(store, lock, settings, starter_lock)
    except StoreUnusable as error:
        journal.ended(str(error))
        raise
    except Exception:
        journal.failed()
        raise
    finally:
        lock.release()


def _work(store: Store, lock: Flock, settings: WorkerSettings, starter_lock: int | None) -> int:
    selector = selectors.DefaultSelector()
    signals = Signals()
    signals.install(selector, foreground=settings.foreground)
    pool = LocalPool(scratch=store.paths.incoming)
    pool.attach(selector)
    pool.start()
    worker = _record(store, settings)
    try:
        succeed(store, worker)
        doorbell = Doorbell.hang(store.paths.doorbell)
        if starter_lock is not None:
            os.close(starter_lock)
        journal.started(worker.worker_id, __version__, settings.slots)
        # The loop must not stand still for other writers.
        impatient = Store.open(store.paths, clock=store.clock, busy_timeout_s=_BUSY_TIMEOUT_S)
        end = Supervisor(
            worker_id=worker.worker_id,
            store=impatient,
            pool=pool,
            doorbell=doorbell,
            lock=lock,
            settings=settings,
            selector=selector,
            signals=signals,
        ).run()
    finally:
        pool.close()
    with store.writing() as tx:
        workers.close(tx, worker.worker_id, end=end, now_us=store.now_us())
    journal.ended(end)
    return EXIT_FAILED if pool.is_broken else EXIT_DONE


def _take_lock(store: Store) -> Flock | None:
    """Take the lock of the store, or None when another worker runs; a silent one is succeeded."""
    deadline_s = time.monotonic() + _UNDECIDED_AT_MOST_S
    while time.monotonic() < deadline_s:
        lock = try_flock(store.paths.worker_lock)
        if lock is not None:
            return lock
        if _holder_is_silent(store):
            lock = _take_over(store)
            if lock is not None:
                return lock
        if is_heard(store.paths.doorbell):
            return None
        time.sleep(_UNDECIDED_RETRY_S)
    return None


def _take_over(store: Store) -> Flock | None:
    with flock(store.paths.creation_lock, timeout_s=_UNDECIDED_AT_MOST_S):
        # Another successor may have been first.
        if not _holder_is_silent(store):
            return None
        with store.reading() as tx:
            silent = workers.alive(tx)
        # Written first: where nothing can be written, nobody is driven out.
        if not _write_off(store, silent):
            return None
        lock = replace_flock(store.paths.worker_lock)
        for worker in silent:
            journal.took_over(worker.worker_id)
            for child in worker.children:
                kill_exactly(child.pid, child.started, whole_group=True)
        return lock


def _write_off(store: Store, silent: list[WorkerRecord]) -> bool:
    impatient = Store.open(store.paths, clock=store.clock, busy_timeout_s=_SILENT_WRITE_AT_MOST_S)
    try:
        with impatient.writing() as tx:
            for worker in silent:
                workers.close(tx, worker.worker_id, end="superseded", now_us=store.now_us())
    except StoreBusy:
        # Stopped while it held the database: only its end lets go of that.
        for worker in silent:
            kill_exactly(worker.pid, worker.pid_started)
        return False
    finally:
        impatient.close()
    return True


def _holder_is_silent(store: Store) -> bool:
    with store.reading() as tx:
        alive = workers.alive(tx)
    this_boot, now_s = boot_id(), store.clock.monotonic_s()
    return bool(alive) and all(worker.is_silent(boot_id=this_boot, monotonic_s=now_s) for worker in alive)


def _record(store: Store, settings: WorkerSettings) -> WorkerRecord:
    now_us = store.now_us()
    return WorkerRecord(
        worker_id=uuid.uuid4().hex[:12],
        host=socket.gethostname(),
        boot_id=boot_id(),
        pid=os.getpid(),
        pid_started=started_of(os.getpid()) or "",
        children=(),
        slots=settings.slots,
        lease_s=settings.lease_s,
        aerjob_version=__version__,
        qiskit_version=None,
        aer_version=None,
        started_us=now_us,
        heartbeat_us=now_us,
        heartbeat_monotonic_s=store.clock.monotonic_s(),
        drain_requested_us=None,
        ended_us=None,
        end=None,
    )
