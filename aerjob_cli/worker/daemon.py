"""One worker as a process: it takes the store's lock, hangs the doorbell, runs the loop and leaves in order."""

from __future__ import annotations

import os
import selectors
import socket
import uuid

from aerjob_cli.clock import boot_id
from aerjob_cli.errors import StoreUnusable
from aerjob_cli.executors.local import LocalPool
from aerjob_cli.executors.scratch import Scratch
from aerjob_cli.processes import started_of
from aerjob_cli.settings import EXIT_ANOTHER_RUNS, EXIT_HANDED_OVER, StorePaths, WorkerSettings
from aerjob_cli.store import gong, workers
from aerjob_cli.store.database import Store
from aerjob_cli.store.doorbell import Doorbell
from aerjob_cli.store.flocks import Flock
from aerjob_cli.store.records import WorkerRecord
from aerjob_cli.version import __version__
from aerjob_cli.worker import journal
from aerjob_cli.worker.end_commands import STOPPED, EndCommands
from aerjob_cli.worker.notify import Manager
from aerjob_cli.worker.rescue import succeed
from aerjob_cli.worker.signals import Signals
from aerjob_cli.worker.succession import Succession
from aerjob_cli.worker.supervisor import DRAINED, SUPERSEDED, Supervisor

EXIT_DONE = 0
EXIT_FAILED = 70

# Whatever this process and its executors make is the user's alone, also where nobody thought of its mode.
_PRIVATE_UMASK = 0o077
# How long a write of the worker may wait for other processes; then it is tried on the next turn of the loop.
_BUSY_TIMEOUT_S = 0.05


def run(paths: StorePaths, settings: WorkerSettings, *, starter_lock: int | None = None) -> int:
    """Be the worker of a store until there is a reason to end; give the exit code of the process.

    ``starter_lock`` is a locked descriptor that keeps clients from starting more workers until this one listens.
    Raises ``StoreUnusable``.
    """
    os.umask(_PRIVATE_UMASK)
    manager = Manager.of_this_process()
    store = Store.open(paths)
    journal.begin(paths, foreground=settings.foreground)
    inherited = None if starter_lock is None else Flock(paths.starter_lock, starter_lock)
    succession = Succession(store, manager, takes_over=settings.takes_over, starter_lock=inherited)
    lock: Flock | None = None
    try:
        lock = succession.take_lock()
        if lock is None:
            journal.left_to_another()
            return EXIT_ANOTHER_RUNS
        journal.hold()
        # While this one waited, the store may have been upgraded to what it does not know.
        store.close()
        return _work(Store.open(paths), lock, settings, succession)
    except StoreUnusable as error:
        journal.ended(str(error))
        raise
    except Exception:
        journal.failed()
        raise
    finally:
        if lock is not None:
            lock.release()


def _work(store: Store, lock: Flock, settings: WorkerSettings, succession: Succession) -> int:
    selector = selectors.DefaultSelector()
    signals = Signals()
    signals.install(selector, foreground=settings.foreground)
    worker = _record(store, settings)
    scratch = Scratch(store.paths.incoming, worker.worker_id)
    pool = LocalPool(scratch=scratch)
    pool.attach(selector)
    pool.start()
    commands: EndCommands | None = None
    try:
        if not succeed(store, worker, lock):
            journal.left_to_another()
            return EXIT_ANOTHER_RUNS
        scratch.succeed()
        gong.hang(store.paths.gong)
        doorbell = Doorbell.hang(store.paths.doorbell)
        succession.let_others_start()
        journal.started(worker.worker_id, __version__, settings.slots)
        succession.manager.ready(settings.slots)
        # The loop must not stand still for other writers.
        impatient = Store.open(store.paths, clock=store.clock, busy_timeout_s=_BUSY_TIMEOUT_S)
        commands = EndCommands(
            worker_id=worker.worker_id, store=impatient, lock=lock, settings=settings, selector=selector
        )
        signals.tells_of_buried = commands.buried
        end = Supervisor(
            worker_id=worker.worker_id,
            store=impatient,
            pool=pool,
            doorbell=doorbell,
            lock=lock,
            settings=settings,
            selector=selector,
            signals=signals,
            commands=commands,
            manager=succession.manager,
        ).run()
    finally:
        signals.let_go()
        if commands is not None:
            commands.end_all(STOPPED)
        pool.close()
    with store.writing() as tx:
        workers.close(tx, worker.worker_id, end=end, now_us=store.now_us())
    journal.ended(end)
    if pool.is_broken:
        return EXIT_FAILED
    # Without a signal nobody wanted it gone for good: who sees to it that there is a worker may start it again.
    gives_way = end == SUPERSEDED or (end == DRAINED and signals.stops == 0)
    return EXIT_HANDED_OVER if gives_way and settings.foreground else EXIT_DONE


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
        max_memory_mb=settings.max_memory_mb,
    )
