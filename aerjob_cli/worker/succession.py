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
    if not _holder_is_silent(store):
        return None
    with flock(store.paths.creation_lock, timeout_s=_UNDECIDED_AT_MOST_S):
        # Another successor may have been first.
        if not _holder_is_silent(store):
            return None
        silent = _registered(store)
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
    alive = _registered(store)
    this_boot, now_s = boot_id(), store.clock.monotonic_s()
    return bool(alive) and all(worker.is_silent(boot_id=this_boot, monotonic_s=now_s) for worker in alive)


def _registered(store: Store) -> list[WorkerRecord]:
    with store.reading() as tx:
        return workers.alive(tx)
