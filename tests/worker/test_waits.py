"""What a worker does with jobs that wait for more than their turn: none too early, none too late, and it may leave."""

from __future__ import annotations

from aerjob_cli.api import changes
from aerjob_cli.api.requests import Plan
from aerjob_cli.states import Reason, Status
from aerjob_cli.store import events
from aerjob_cli.store.doorbell import ring
from aerjob_cli.store.records import JobRecord
from tests.support.circuits import BELL, ENDLESS
from tests.support.running import Scene, gone, until

PLAN = Plan(1, 1)
_US_PER_S = 1_000_000


def put(scene: Scene, text: str = BELL, **changes: object) -> JobRecord:
    (job,) = scene.put(scene.request(text, **({"plan": PLAN} | changes)))
    return job


def began_us(scene: Scene, job: JobRecord) -> int:
    history = scene.peek(lambda tx: events.history(tx, job.seq))
    assert history is not None
    return next(event.at_us for event in history if event.to_status is Status.RUNNING)


def test_a_diamond_runs_in_its_order_and_a_failure_ends_what_waits_for_it(scene: Scene) -> None:
    top = put(scene, plan=None)  # is validated first
    left, right = (put(scene, after_ok=[top.job_id]) for _ in range(2))
    bottom = put(scene, plan=None, after_ok=[left.job_id, right.job_id])
    endless = put(scene, ENDLESS, after_any=[left.job_id, right.job_id], time_limit_s=0.5)
    never = put(scene, after_ok=[endless.job_id])
    last = put(scene, after=[never.job_id])
    scene.start_worker()
    for job in (bottom, last):
        scene.wait_for_status(job, Status.DONE)
    failed = scene.client.find(never.job_id)
    assert (failed.reason, failed.attempt) == (Reason.DEPENDENCY_FAILED, 0)
    assert failed.message == f"it waited for job {endless.job_id} to be DONE, and that ended in ERROR (TIMED_OUT)"
    order = [began_us(scene, job) for job in (top, left, bottom)]
    assert order == sorted(order)
    assert began_us(scene, right) <= began_us(scene, bottom)


def test_a_worker_wakes_by_itself_when_a_time_has_come_and_leaves_only_then(scene: Scene) -> None:
    """Its idle time is over long before; a job that is held keeps it from nothing."""
    held = put(scene, hold=True)
    job = put(scene, begin=scene.store.now_us() + 2 * _US_PER_S)
    process = scene.start_worker("--idle-exit", "0.3")
    worker = scene.worker()
    scene.wait_for_status(job, Status.DONE)
    history = scene.peek(lambda tx: events.history(tx, job.seq))
    assert history is not None
    assert job.begin_us is not None
    come = history[1]
    assert (come.from_status, come.to_status) == (Status.QUEUED, Status.QUEUED)
    assert job.begin_us <= come.at_us <= began_us(scene, job)
    assert process.wait(timeout=60) == 0
    until(lambda: gone(worker) or None)
    assert scene.client.find(held.job_id).status is Status.QUEUED


def test_a_held_job_is_validated_and_starts_when_it_is_released(scene: Scene) -> None:
    held, other = put(scene, plan=None, hold=True), put(scene, plan=None)
    scene.start_worker()
    scene.wait_for_status(other, Status.DONE)
    waiting = scene.wait_for_status(held, Status.QUEUED)
    assert (waiting.held, waiting.experiments_total, waiting.attempt) == (True, 1, 0)
    changes.release(scene.store, [held])
    ring(scene.paths.doorbell)
    assert scene.wait_for_status(held, Status.DONE).attempt == 1


def test_a_chain_goes_on_after_the_worker_was_killed(scene: Scene) -> None:
    first = put(scene, ENDLESS)
    ok, whatever = put(scene, after_ok=[first.job_id]), put(scene, after=[first.job_id])
    process = scene.start_worker()
    scene.wait_for_executor(first)
    changes.request_cancels(scene.store, [first], message=None)
    process.kill()
    process.wait()
    # Whichever of the two came first: the end of that job, and what it means for others, is one.
    waiting = [scene.client.find(job.job_id).status for job in (ok, whatever)]
    ended = scene.client.find(first.job_id).status is Status.CANCELLED
    assert (waiting[0] is Status.ERROR) == ended
    scene.start_successor()
    assert scene.wait_for_status(ok, Status.ERROR).reason is Reason.DEPENDENCY_FAILED
    assert scene.wait_for_status(whatever, Status.DONE).attempt == 1
    assert scene.wait_for_status(first, Status.CANCELLED).attempt == 1
