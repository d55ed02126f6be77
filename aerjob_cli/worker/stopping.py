"""Ordering a worker to stop, from outside it. An order is for good: a service manager does not start it again.

A client of a later version only writes its wish into the store (``workers.request_drain``); a worker that ends for
that says with its exit code that it would come back.
"""

from __future__ import annotations

from aerjob_cli.clock import boot_id
from aerjob_cli.errors import StoreUnusable
from aerjob_cli.executors.scratch import end_strays
from aerjob_cli.processes import kill_exactly, terminate_exactly
from aerjob_cli.store import workers
from aerjob_cli.store.database import Store
from aerjob_cli.store.doorbell import ring
from aerjob_cli.store.records import WorkerRecord
from aerjob_cli.store.releases import release_stopped


def order_to_stop(store: Store, worker: WorkerRecord) -> None:
    """Have a worker take no more jobs, end those it runs within its grace, and leave. Raises ``StoreUnusable``."""
    with store.writing() as tx:
        is_first = workers.request_drain(tx, worker.worker_id, now_us=store.now_us())
    # A second signal would end the grace at once.
    if is_first and worker.boot_id == boot_id():
        terminate_exactly(worker.pid, worker.pid_started)
    ring(store.paths.doorbell)


def kill(store: Store, worker: WorkerRecord) -> None:
    """SIGKILL a worker and what it started, as an order: the attempts that end with it are not charged."""
    try:
        with store.writing() as tx:
            # Whoever finds the body before `release_killed` does, knows of the order by this.
            workers.request_drain(tx, worker.worker_id, now_us=store.now_us())
    except StoreUnusable:
        # A full disk is one more reason to have it end.
        pass
    kill_exactly(worker.pid, worker.pid_started)
    # Where the system does not end them with their parent.
    for child in worker.children:
        kill_exactly(child.pid, child.started, whole_group=True)
    if worker.boot_id == boot_id():
        end_strays(store.paths.incoming, {worker.worker_id})


def release_killed(store: Store, worker: WorkerRecord) -> None:
    """Put the jobs of a worker that was killed by order, and is gone, back into the queue. Raises ``StoreUnusable``."""
    with store.writing() as tx:
        workers.request_drain(tx, worker.worker_id, now_us=store.now_us())
        workers.close(tx, worker.worker_id, end="killed on request", now_us=store.now_us())
        release_stopped(tx, worker.worker_id, now_us=store.now_us())
