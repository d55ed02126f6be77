"""How one worker follows another: which of them has the store, who waits, and who makes room for whom."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from aerjob_cli.clock import boot_id
from aerjob_cli.errors import StoreBusy
from aerjob_cli.processes import kill_exactly
from aerjob_cli.store import workers
from aerjob_cli.store.database import Store
from aerjob_cli.store.doorbell import is_heard
from aerjob_cli.store.flocks import Flock, flock, replace_flock, try_flock
from aerjob_cli.store.records import WorkerRecord
from aerjob_cli.version import __version__, is_older
from aerjob_cli.worker import journal
from aerjob_cli.worker.notify import Manager
from aerjob_cli.worker.stopping import order_to_stop

# A holder that does not listen is starting or draining; the latter takes as long as its grace.
_UNDECIDED_AT_MOST_S = 300.0
_LOOK_EVERY_S = 0.05
# Who waits for a worker that works on may wait for days.
_LOOK_AT_LEAST_EVERY_S = 1.0
_PATIENCE = 0.02
# A silent holder that was stopped in the middle of a write keeps everybody from writing.
_SILENT_WRITE_AT_MOST_S = 5.0


@dataclass
class Succession:
    """One worker's wait for the lock of the store. ``takes_over`` has a worker that listens make room."""

    store: Store
    manager: Manager
    takes_over: bool
    starter_lock: Flock | None = None  # held while another worker makes room, so that no client starts a third one
    _asked: set[str] = field(default_factory=set)

    def take_lock(self) -> Flock | None:
        """Wait for the lock; None when another worker has the store and it is not to be taken over."""
        begun_s = time.monotonic()
        while (waited_s := time.monotonic() - begun_s) < _UNDECIDED_AT_MOST_S or self.takes_over:
            lock = try_flock(self.store.paths.worker_lock) or _take_over_from_silent(self.store)
            if lock is not None:
                return lock
            if is_heard(self.store.paths.doorbell):
                if self.takes_over:
                    self._ask_for_room()
                elif not self._is_leaving():
                    return None
            time.sleep(min(_LOOK_AT_LEAST_EVERY_S, max(_LOOK_EVERY_S, waited_s * _PATIENCE)))
        return None

    def let_others_start(self) -> None:
        """Let clients start workers again; called once this one listens, or leaves."""
        if self.starter_lock is not None:
            self.starter_lock.release()
            self.starter_lock = None

    def _ask_for_room(self) -> None:
        for worker in _registered(self.store):
            if worker.worker_id in self._asked:
                continue
            self._asked.add(worker.worker_id)
            self.manager.waiting()
            # As for clients: a later version is left alone, and has no use for this one.
            if is_older(__version__, worker.aerjob_version):
                journal.waits_for(worker.worker_id, worker.aerjob_version)
                continue
            journal.asks_for_room(worker.worker_id)
            if self.starter_lock is None:
                self.starter_lock = try_flock(self.store.paths.starter_lock)
            order_to_stop(self.store, worker)

    def _is_leaving(self) -> bool:
        # It was asked to, and has not yet come to take down its bell.
        registered = _registered(self.store)
        return bool(registered) and registered[0].drain_requested_us is not None


def _take_over_from_silent(store: Store) -> Flock | None:
    if not _are_silent(store, _registered(store)):
        return None
    # Not while the store is upgraded.
    with flock(store.paths.creation_lock, timeout_s=_UNDECIDED_AT_MOST_S):
        silent, lock = _write_off_silent(store)
    if lock is not None:
        for worker in silent:
            journal.took_over(worker.worker_id)
            # After a reboot its pids are those of others.
            for child in worker.children if worker.boot_id == boot_id() else ():
                kill_exactly(child.pid, child.started, whole_group=True)
    return lock


def _write_off_silent(store: Store) -> tuple[list[WorkerRecord], Flock | None]:
    """Write off all workers, unless one of them lives, and replace the lock that one of them may hold.

    In one transaction: who has just taken the old lock, and is not registered yet, registers before it and is then
    found here, or after it and then finds its lock replaced (`rescue.succeed`). Where nothing can be written, nobody
    is driven out.
    """
    impatient = Store.open(store.paths, clock=store.clock, busy_timeout_s=_SILENT_WRITE_AT_MOST_S)
    lock = None
    try:
        with impatient.writing() as tx:
            silent = workers.alive(tx)
            # Another successor may have been first.
            if not _are_silent(store, silent):
                return silent, None
            for worker in silent:
                workers.close(tx, worker.worker_id, end="superseded", now_us=store.now_us())
            lock = replace_flock(store.paths.worker_lock)
    except StoreBusy:
        if lock is not None:
            lock.release()
        # Stopped while it held the database: only its end lets go of that.
        silent = _registered(store)
        for worker in silent if _are_silent(store, silent) else ():
            if worker.boot_id == boot_id():
                kill_exactly(worker.pid, worker.pid_started)
        return silent, None
    finally:
        impatient.close()
    return silent, lock


def _are_silent(store: Store, alive: list[WorkerRecord]) -> bool:
    """Tell whether there are workers that have not written their end, and the lease of each is over."""
    this_boot, now_s = boot_id(), store.clock.monotonic_s()
    return bool(alive) and all(worker.is_silent(boot_id=this_boot, monotonic_s=now_s) for worker in alive)


def _registered(store: Store) -> list[WorkerRecord]:
    with store.reading() as tx:
        return workers.alive(tx)
