"""One worker after another on the same store: who makes room for whom, and what that costs the jobs."""

from __future__ import annotations

import os
import signal
import subprocess
from functools import partial

from sqlalchemy import Connection, text

from aerjob_cli.settings import EXIT_HANDED_OVER
from aerjob_cli.states import Status
from aerjob_cli.store import cancels, events, jobs, workers
from aerjob_cli.store.doorbell import is_heard, ring
from aerjob_cli.store.flocks import try_flock
from aerjob_cli.store.records import JobRecord, WorkerRecord
from aerjob_cli.worker import stopping
from tests.support.circuits import BELL, ENDLESS
from tests.support.running import Scene, gone, until


def runs_in(job: JobRecord, process: subprocess.Popen[bytes], tx: Connection) -> WorkerRecord | None:
    """Find the worker that is this process, once it runs the job."""
    found = jobs.find(tx, job.job_id)
    for worker in workers.alive(tx):
        if worker.pid == process.pid and (found.status, found.worker_id) == (Status.RUNNING, worker.worker_id):
            return worker
    return None


def wish_it_ended(scene: Scene, job: JobRecord) -> None:
    """Note the wish and no more: a client that waits for the end would start a worker of its own."""
    with scene.store.writing() as tx:
        cancels.request_cancel(tx, job.seq, now_us=scene.store.now_us())
    ring(scene.paths.doorbell)


def test_a_service_takes_over_from_a_worker_that_a_client_started(scene: Scene) -> None:
    (job,) = scene.put(scene.request(ENDLESS))
    first = scene.start_worker("--drain-grace", "0.3")
    scene.wait(partial(runs_in, job, first))
    service = scene.spawn_worker("--foreground", "--take-over", "--idle-exit", "0")
    # An order to stop: it does not come back, and the job is not charged for it.
    assert first.wait(timeout=60) == 0
    worker = scene.wait(partial(runs_in, job, service))
    assert scene.client.find(job.job_id).attempts_charged == 0
    # Clients may start workers again.
    lock = try_flock(scene.paths.starter_lock)
    assert lock is not None
    lock.release()

    # The service is of a later version than the next one, which so leaves it alone and waits for its end.
    with scene.store.writing() as tx:
        tx.execute(text("UPDATE workers SET aerjob_version = '99.0'"))
    earlier = scene.spawn_worker("--foreground", "--take-over")
    until(lambda: "of the later aerjob 99.0 works on this store" in scene.log() or None)
    assert scene.peek(lambda tx: workers.is_drain_requested(tx, worker.worker_id)) is False
    assert (service.poll(), earlier.poll()) == (None, None)
    # A client of a still later version writes a wish only: the service says that it would come back.
    with scene.store.writing() as tx:
        workers.request_drain(tx, worker.worker_id, now_us=scene.store.now_us())
    wish_it_ended(scene, job)
    assert service.wait(timeout=60) == EXIT_HANDED_OVER
    (after,) = scene.put(scene.request(BELL))
    scene.wait_for_status(after, Status.DONE)
    assert scene.worker().pid == earlier.pid


def test_a_worker_killed_while_it_drains_charges_nothing(scene: Scene) -> None:
    """As a service manager does whose patience is at an end."""
    (job,) = scene.put(scene.request(ENDLESS))
    process = scene.start_worker()
    worker = scene.wait(partial(runs_in, job, process))
    process.terminate()
    scene.wait(lambda tx: workers.is_drain_requested(tx, worker.worker_id) or None)
    process.kill()
    until(lambda: gone(worker) or None)
    successor = scene.start_worker()
    scene.wait(partial(runs_in, job, successor))
    assert scene.client.find(job.job_id).attempts_charged == 0


def test_an_order_that_is_repeated_does_not_end_the_grace(scene: Scene) -> None:
    (job,) = scene.put(scene.request(ENDLESS))
    process = scene.start_worker("--lease", "1")
    worker = scene.wait(partial(runs_in, job, process))
    for _ in range(3):
        stopping.order_to_stop(scene.store, scene.worker())
    until(lambda: "draining" in scene.log() or None)
    stopping.order_to_stop(scene.store, scene.worker())
    # It has heard of all of them by its next sign of life but one, and has its job still.
    for _ in range(2):
        scene.wait(partial(has_beaten_since, scene.store.clock.monotonic_s()))
    assert scene.peek(partial(runs_in, job, process)) is not None
    wish_it_ended(scene, job)
    assert process.wait(timeout=60) == 0
    assert gone(worker)


def has_beaten_since(monotonic_s: float, tx: Connection) -> bool | None:
    return workers.alive(tx)[0].heartbeat_monotonic_s > monotonic_s or None


def test_a_worker_that_is_to_leave_takes_nothing_that_came_with_the_wish(scene: Scene) -> None:
    first = scene.start_worker()
    until(lambda: is_heard(scene.paths.doorbell) or None)
    with scene.store.writing() as tx:
        # It does not write now, and so keeps nobody from writing while it stands still.
        os.kill(first.pid, signal.SIGSTOP)
    (job,) = scene.put(scene.request(BELL))
    with scene.store.writing() as tx:
        (worker,) = workers.alive(tx)
        workers.request_drain(tx, worker.worker_id, now_us=scene.store.now_us())
    ring(scene.paths.doorbell)
    os.kill(first.pid, signal.SIGCONT)
    assert first.wait(timeout=60) == 0
    with scene.store.reading() as tx:
        assert [event.worker_id for event in events.history(tx, job.seq)] == [None]


def test_a_client_that_does_not_wait_leaves_a_worker_behind(scene: Scene) -> None:
    first = scene.start_worker()
    # One that does not listen yet is left alone by the worker that the client starts.
    until(lambda: is_heard(scene.paths.doorbell) or None)
    with scene.store.writing() as tx:
        tx.execute(text("UPDATE workers SET aerjob_version = '0.0.1'"))
    (job,) = scene.client.submit([scene.request(BELL)])
    # From here on nobody but workers sees to the job.
    done = scene.wait_for_status(job, Status.DONE)
    assert first.wait(timeout=60) == 0
    with scene.store.reading() as tx:
        assert [worker.worker_id for worker in workers.alive(tx)] == [done.worker_id]
