"""kill -9 of workers: nothing acknowledged is lost, nothing finished is run again, no orphan stays."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest
from sqlalchemy import text

from aerjob_cli.api.requests import CircuitBytes, Plan, Request
from aerjob_cli.states import Reason, Status
from aerjob_cli.store import events, experiments
from aerjob_cli.store.records import JobRecord
from tests.support.circuits import BELL, ENDLESS, SECONDS_LONG, layers
from tests.support.running import Scene, gone, until


def data_of(scene: Scene, job: JobRecord) -> list[Any]:
    return [json.loads(result.data)["data"] for result in scene.client.results(job)]


def kill(scene: Scene) -> None:
    """SIGKILL the worker and wait until everything it started is gone."""
    worker = scene.worker()
    os.kill(worker.pid, signal.SIGKILL)
    until(lambda: gone(worker) or None)


def test_a_job_survives_the_kill_of_its_worker_with_equal_counts(scene: Scene) -> None:
    undisturbed, job = scene.put(scene.request(SECONDS_LONG), scene.request(SECONDS_LONG))
    scene.start_worker("--slots", "1")
    scene.wait_for_status(undisturbed, Status.DONE)
    scene.wait_for_executor(job)
    kill(scene)
    scene.start_worker()
    done = scene.wait_for_status(job, Status.DONE)
    assert (done.attempt, done.attempts_charged) == (2, 1)
    assert data_of(scene, done) == data_of(scene, undisturbed)
    history = scene.peek(lambda tx: events.history(tx, job.seq))
    assert history is not None
    assert any(event.to_status is Status.QUEUED and "WORKER_LOST" in event.why for event in history)


def test_whoever_waits_starts_the_next_worker(scene: Scene) -> None:
    (job,) = scene.put(scene.request(SECONDS_LONG))
    scene.start_worker()
    scene.wait_for_executor(job)
    kill(scene)
    del scene.client._launcher.call  # a client as users have it
    (done,) = scene.client.wait([job], timeout_s=120)
    assert (done.status, done.attempt) == (Status.DONE, 2)


def test_three_lost_workers_end_a_job(scene: Scene) -> None:
    (job,) = scene.put(scene.request(ENDLESS))
    for _ in range(3):
        scene.start_worker()
        scene.wait_for_executor(job)
        kill(scene)
    scene.start_worker()
    ended = scene.wait_for_status(job, Status.ERROR)
    assert (ended.reason, ended.attempt) == (Reason.WORKER_LOST, 3)


@pytest.fixture
def many() -> Request:
    """600 circuits, in several texts of one job."""
    texts = [layers(12, 4, seed=seed) for seed in range(600)]
    return Request(
        circuits=tuple(CircuitBytes(f"c{at}", "openqasm2", text.encode()) for at, text in enumerate(texts)),
        backend="qasm_simulator",
        shots=100,
        seed=2**63 - 1,
        plan=Plan(len(texts), 1),
    )


def test_stored_experiments_are_not_run_again(scene: Scene, many: Request) -> None:
    undisturbed, job = scene.put(many, many)
    scene.start_worker("--slots", "1")
    scene.wait_for_status(undisturbed, Status.DONE)
    scene.wait(lambda tx: (experiments.missing_ranges(tx, job.seq, 600)[0][0] > 100) or None)
    kill(scene)
    before = scene.peek(lambda tx: {result.position for result in experiments.results_of(tx, job.seq)})
    assert before
    assert len(before) < 600
    scene.start_worker()
    done = scene.wait_for_status(job, Status.DONE)
    after = scene.peek(lambda tx: {item.position: item.attempt for item in experiments.results_of(tx, job.seq)})
    assert after == {position: 1 if position in before else 2 for position in range(600)}
    assert data_of(scene, done) == data_of(scene, undisturbed)


@pytest.mark.parametrize(("version", "is_replaced"), [("0.0.9", True), ("99.0", False)])
def test_a_worker_of_an_earlier_version_hands_over_and_a_later_one_stays(
    scene: Scene, version: str, is_replaced: bool
) -> None:
    first = scene.start_worker()
    with scene.store.writing() as tx:
        tx.execute(text("UPDATE workers SET aerjob_version = :version"), {"version": version})
    (job,) = scene.client.submit([scene.request(BELL)])
    (done,) = scene.client.wait([job], timeout_s=120)
    assert done.status is Status.DONE
    if is_replaced:
        assert first.wait(timeout=60) == 0
        assert scene.worker().pid != first.pid
    else:
        assert scene.worker().pid == first.pid
