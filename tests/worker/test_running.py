"""What a worker does with jobs: runs, limits, cancels, retries; and with itself: drains, idles, leaves."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from aerjob_cli.api.requests import Plan
from aerjob_cli.processes import is_running, kill_exactly
from aerjob_cli.settings import EXIT_ANOTHER_RUNS
from aerjob_cli.states import Reason, Status
from aerjob_cli.store import events, jobs, workers
from aerjob_cli.store.records import EventRecord, JobRecord
from tests.support.circuits import BELL, ENDLESS, SECONDS_LONG
from tests.support.running import Scene, gone, until

FINAL = (Status.DONE, Status.ERROR, Status.CANCELLED)


def test_a_text_goes_through_all_states(scene: Scene) -> None:
    (job,) = scene.put(scene.request(BELL))
    scene.start_worker()
    done = scene.wait_for_status(job, Status.DONE)
    history = scene.peek(lambda tx: events.history(tx, job.seq))
    assert history is not None
    assert [event.to_status for event in history] == [
        Status.INITIALIZING,
        Status.VALIDATING,
        Status.QUEUED,
        Status.RUNNING,
        Status.DONE,
    ]
    assert (done.attempt, done.experiments_done, done.experiments_total) == (1, 1, 1)
    assert done.engine is not None
    assert done.engine.startswith("qiskit-aer ")
    (result,) = scene.client.results(done)
    assert b'"0x0"' in result.data
    assert b'"0x1"' not in result.data


def test_the_supervisor_has_no_qiskit_in_it(scene: Scene) -> None:
    (job,) = scene.put(scene.request(BELL))
    process = scene.start_worker()
    scene.wait_for_status(job, Status.DONE)
    template = scene.worker().children[0]
    loaded = {pid: Path(f"/proc/{pid}/maps").read_text() for pid in (process.pid, template.pid)}
    assert "qiskit" not in loaded[process.pid]
    assert "numpy" not in loaded[process.pid]
    assert "qiskit_aer" in loaded[template.pid]


def test_the_template_stays_single_threaded(scene: Scene) -> None:
    (job,) = scene.put(scene.request(SECONDS_LONG))
    scene.start_worker()
    scene.wait_for_status(job, Status.DONE)
    template = scene.worker().children[0]
    assert len(list(Path(f"/proc/{template.pid}/task").iterdir())) == 1


def test_a_time_limit_ends_the_job_and_its_executor(scene: Scene) -> None:
    (job,) = scene.put(scene.request(ENDLESS, time_limit_s=1.5))
    scene.start_worker()
    executor = scene.wait_for_executor(job)
    ended = scene.wait_for_status(job, *FINAL)
    assert (ended.status, ended.reason, ended.attempt) == (Status.ERROR, Reason.TIMED_OUT, 1)
    assert ended.message is not None
    assert "1.5 s" in ended.message
    assert executor not in {child.pid for child in scene.worker().children}


def test_memory_above_the_limit_ends_the_job(scene: Scene) -> None:
    # The state of two qubits is tiny, the record of five million shots is not.
    (job,) = scene.put(scene.request(BELL, shots=5_000_000, memory=True, max_memory_mb=16, plan=Plan(1, 1)))
    scene.start_worker()
    ended = scene.wait_for_status(job, *FINAL)
    assert (ended.status, ended.reason) == (Status.ERROR, Reason.OUT_OF_MEMORY)


def test_cancel_ends_a_running_simulation(scene: Scene) -> None:
    (job,) = scene.put(scene.request(ENDLESS))
    scene.start_worker()
    executor = scene.wait_for_executor(job)
    started = next(child.started for child in scene.worker().children if child.pid == executor)
    noted = scene.wait(partial(with_its_executor, job))
    assert (noted.status, noted.executor_pid, noted.executor_started) == (Status.RUNNING, executor, started)
    (ended,) = scene.client.cancel_all([job], message="enough")
    assert (ended.status, ended.reason, ended.message) == (Status.CANCELLED, Reason.USER_CANCELLED, "enough")
    # CANCELLED is written when the executor is gone, not before.
    assert not is_running(executor, started)


def test_a_job_that_kills_its_executors_ends_and_its_neighbours_go_on(scene: Scene) -> None:
    poison, bell = scene.put(scene.request(ENDLESS, max_attempts=2), scene.request(BELL))
    scene.start_worker()
    for attempt in (1, 2):
        os.kill(scene.wait_for_executor(poison), signal.SIGSEGV)
        scene.wait(partial(attempt_is_over, poison, attempt))
    ended = scene.wait_for_status(poison, *FINAL)
    assert (ended.status, ended.reason, ended.attempt) == (Status.ERROR, Reason.EXECUTOR_CRASHED, 2)
    assert ended.message is not None
    assert "SIGSEGV" in ended.message
    assert scene.wait_for_status(bell, *FINAL).status is Status.DONE


def with_its_executor(job: JobRecord, tx: Connection) -> JobRecord | None:
    found = jobs.find(tx, job.job_id)
    return None if found.executor_pid is None else found


def attempt_is_over(job: JobRecord, attempt: int, tx: Connection) -> EventRecord | None:
    for event in events.history(tx, job.seq):
        if event.attempt == attempt and event.from_status is Status.RUNNING:
            return event
    return None


def test_a_lost_template_is_replaced(scene: Scene) -> None:
    (job,) = scene.put(scene.request(SECONDS_LONG))
    scene.start_worker()
    scene.wait_for_executor(job)
    worker = scene.worker()
    kill_exactly(worker.children[0].pid, worker.children[0].started)
    done = scene.wait_for_status(job, Status.DONE)
    assert done.attempt == 2
    assert scene.worker().worker_id == worker.worker_id


def test_the_first_sigterm_drains(scene: Scene) -> None:
    (job,) = scene.put(scene.request(SECONDS_LONG))
    process = scene.start_worker()
    scene.wait_for_executor(job)
    (waiting,) = scene.put(scene.request(BELL))
    process.terminate()
    assert process.wait(timeout=60) == 0
    assert scene.client.find(job.job_id).status is Status.DONE
    # What had not begun, does not begin.
    assert scene.client.find(waiting.job_id).status in (Status.INITIALIZING, Status.QUEUED)


def test_the_second_sigterm_aborts_and_the_attempt_is_not_charged(scene: Scene) -> None:
    (job,) = scene.put(scene.request(ENDLESS))
    process = scene.start_worker()
    scene.wait_for_executor(job)
    worker = scene.worker()
    process.terminate()
    until(lambda: "draining" in scene.log() or None)
    process.terminate()
    assert process.wait(timeout=60) == 0
    given_back = scene.client.find(job.job_id)
    assert (given_back.status, given_back.attempt, given_back.attempts_charged) == (Status.QUEUED, 1, 0)
    assert gone(worker)


def test_a_drain_gives_back_what_outlasts_the_grace(scene: Scene) -> None:
    (job,) = scene.put(scene.request(ENDLESS))
    process = scene.start_worker("--drain-grace", "0.2")
    scene.wait_for_executor(job)
    process.terminate()
    assert process.wait(timeout=60) == 0
    assert scene.client.find(job.job_id).status is Status.QUEUED


def test_a_requested_drain_ends_the_worker(scene: Scene) -> None:
    process = scene.start_worker()
    with scene.store.writing() as tx:
        workers.request_drain(tx, scene.worker().worker_id, now_us=scene.store.now_us())
    assert process.wait(timeout=60) == 0


def test_an_idle_worker_leaves(scene: Scene) -> None:
    process = scene.start_worker("--idle-exit", "0.2")
    assert process.wait(timeout=60) == 0
    assert scene.peek(lambda tx: workers.alive(tx) or None) is None


def test_a_second_worker_leaves_with_a_sentence(scene: Scene) -> None:
    scene.start_worker()
    second = scene.spawn_worker()
    assert second.wait(timeout=60) == EXIT_ANOTHER_RUNS
    assert "another worker already runs" in scene.log()


def test_every_process_of_a_store_leaves_with_its_worker(scene: Scene) -> None:
    (job,) = scene.put(scene.request(BELL))
    process = scene.start_worker()
    scene.wait_for_status(job, Status.DONE)
    worker = scene.worker()
    process.terminate()
    assert process.wait(timeout=60) == 0
    until(lambda: gone(worker) or None)
