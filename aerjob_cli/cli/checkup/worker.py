"""Does somebody work, and who holds the worker's lock?"""

from __future__ import annotations

from collections.abc import Iterator

from aerjob_cli.cli import worker_control
from aerjob_cli.cli.checkup.finding import Finding, Part, good, note, wrong
from aerjob_cli.cli.plurals import count_of
from aerjob_cli.store.database import Store
from aerjob_cli.store.doorbell import is_heard
from aerjob_cli.store.flocks import holders
from aerjob_cli.store.jobs import count_pending, needs_worker
from aerjob_cli.store.records import WorkerRecord
from aerjob_cli.version import __version__


def examine(store: Store) -> Iterator[Finding]:
    """Look at the workers that run, at the jobs that wait for one, and at the lock."""
    found = worker_control.living(store)
    with store.reading_directly() as tx:
        # Jobs that are held, and those that wait for them, need no worker.
        waiting = sum(count_pending(tx).values()) if needs_worker(tx) else 0
    for worker in found:
        yield _worker(store, worker)
    if not found and waiting:
        fact = f"none runs, and {count_of(waiting, 'job')} {'waits' if waiting == 1 else 'wait'}"
        yield wrong("worker", fact, "run: aerjob worker start", Part.PROGRAM)
    elif not found:
        yield good("worker", "none runs; the next job starts one")
    yield _lock(store, found)


def _worker(store: Store, worker: WorkerRecord) -> Finding:
    silent_s = store.clock.monotonic_s() - worker.heartbeat_monotonic_s
    if silent_s > worker.lease_s:
        fact = f"pid {worker.pid} has been silent for {silent_s:.0f} s, and its lease is {worker.lease_s:g} s"
        return wrong(
            "worker", fact, "whoever waits for a job replaces it; or: aerjob worker stop --force", Part.PROGRAM
        )
    if worker.aerjob_version != __version__:
        fact = f"pid {worker.pid} is of aerjob {worker.aerjob_version}, and this is {__version__}"
        return note("worker", fact, "a later one replaces an earlier one with the next job")
    if worker.drain_requested_us is None and not is_heard(store.paths.doorbell):
        return note("worker", f"pid {worker.pid} hears no doorbell", "it looks by itself, once a second")
    state = "takes jobs" if worker.drain_requested_us is None else "is stopping"
    return good("worker", f"pid {worker.pid} {state}")


def _lock(store: Store, found: list[WorkerRecord]) -> Finding:
    pids = holders(store.paths.worker_lock)
    if pids is None:
        return note("worker lock", "who holds it cannot be told on this system")
    strangers = sorted(pids - {worker.pid for worker in found})
    if strangers:
        fact = f"held by pid {', '.join(map(str, strangers))}, which is no worker that has registered"
        return note("worker lock", fact, "a worker that starts does this for a second; one that stays is stuck")
    return good("worker lock", "held by the worker" if pids else "free")
