"""Jobs that are sent ahead and share calls: equal results, nobody waits for a long one, nobody pays for another."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from functools import partial

import pytest
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

from aerjob_cli import BasicAerProvider
from aerjob_cli.api.requests import Plan
from aerjob_cli.states import Reason, Status
from aerjob_cli.store import events
from aerjob_cli.store.records import JobRecord
from tests.faults.support.bad_executors import bad_scene_in, deed
from tests.support.circuits import BELL, ENDLESS
from tests.support.running import Scene, scene_in

FINAL = (Status.DONE, Status.ERROR, Status.CANCELLED)
SMALL = Plan(1, 1)


@pytest.fixture
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene_in(tmp_path_factory.mktemp("ahead") / "home") as made:
        yield made


def ended(scene: Scene, some: list[JobRecord]) -> list[JobRecord]:
    return [scene.wait_for_status(job, *FINAL) for job in some]


def two_qubits(chance: random.Random, name: str) -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name=name)
    for qubit in (0, 1):
        circuit.rx(chance.uniform(0, 2 * math.pi), qubit)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def test_jobs_that_share_calls_give_what_each_gives_alone(scene: Scene) -> None:
    scene.keep_worker("--slots", "1")
    backend = BasicAerProvider(home=scene.paths.home).get_backend("qasm_simulator")
    chance = random.Random(5)
    circuits = [two_qubits(chance, f"c{number}") for number in range(60)]
    made = backend.run_many(circuits, shots=200, memory=True)
    alone = AerSimulator(method="automatic")
    for circuit, job in zip(circuits, made, strict=True):
        result = job.result(timeout=120)
        seed = scene.client.find(job.job_id()).seed
        expected = alone.run(circuit, shots=200, memory=True, seed_simulator=seed, max_parallel_threads=1).result()
        assert result.get_counts() == expected.get_counts()
        assert result.get_memory() == expected.get_memory()
        assert result.results[0].header["name"] == circuit.name
        assert result.results[0].seed_simulator == seed


def test_nobody_waits_behind_a_long_job(scene: Scene) -> None:
    scene.keep_worker("--slots", "2")
    ended(scene, scene.put(*[scene.request(BELL, seed=None, plan=SMALL) for _ in range(40)]))
    few, many = ([scene.request(BELL, seed=None, plan=SMALL) for _ in range(count)] for count in (3, 60))
    first, (long, *second) = scene.put(*few), scene.put(scene.request(ENDLESS, plan=SMALL), *many)
    for job in ended(scene, [*first, *second]):
        assert (job.status, job.attempt, job.attempts_charged) == (Status.DONE, 1, 0)
    assert scene.client.find(long.job_id).status is Status.RUNNING


def test_what_waits_behind_a_long_job_is_queued_again_and_has_not_started(scene: Scene) -> None:
    scene.keep_worker("--slots", "1")
    ended(scene, scene.put(*[scene.request(BELL, seed=None, plan=SMALL) for _ in range(40)]))
    long, *behind = scene.put(
        scene.request(ENDLESS, plan=SMALL), *[scene.request(BELL, seed=None, plan=SMALL) for _ in range(10)]
    )
    scene.wait_for_executor(long)
    for job in behind:
        waiting = scene.wait_for_status(job, Status.QUEUED)
        assert (waiting.attempt, waiting.started_us) == (0, None)
    scene.client.cancel(long)
    for job in ended(scene, behind):
        assert (job.status, job.attempt, job.attempts_charged) == (Status.DONE, 1, 0)


def test_of_long_jobs_that_look_alike_only_one_has_started(scene: Scene) -> None:
    scene.keep_worker("--slots", "1")
    ended(scene, scene.put(*[scene.request(BELL, seed=None, plan=SMALL) for _ in range(40)]))
    # Their seeds follow each other, and only their circuits tell that they share no call.
    long, *behind = scene.put(*[scene.request(ENDLESS, seed=None, plan=SMALL) for _ in range(6)])
    scene.wait_for_executor(long)
    for job in behind:
        waiting = scene.wait_for_status(job, Status.QUEUED)
        assert (waiting.attempt, waiting.started_us) == (0, None)
    assert scene.client.find(long.job_id).status is Status.RUNNING


def test_one_that_waits_behind_a_long_job_can_be_cancelled(scene: Scene) -> None:
    scene.keep_worker("--slots", "1")
    ended(scene, scene.put(*[scene.request(BELL, seed=None, plan=SMALL) for _ in range(40)]))
    long, doomed, other = scene.put(
        scene.request(ENDLESS, plan=SMALL), *[scene.request(BELL, seed=None, plan=SMALL) for _ in range(2)]
    )
    assert scene.client.cancel(doomed).status is Status.CANCELLED
    scene.wait_for_executor(long)
    scene.client.cancel(long)
    assert scene.wait_for_status(other, *FINAL).status is Status.DONE


def test_a_call_that_fails_is_charged_to_none_and_then_to_whoever_it_was(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with bad_scene_in(tmp_path_factory.mktemp("bad") / "home", "--slots", "1") as scene:
        # To an executor of which nothing is known yet they are sent together.
        good = [deed("good", seed=None) for _ in range(4)]
        culprit, *others = scene.put(deed("abort", seed=None), *good)
        for job in ended(scene, others):
            assert (job.status, job.attempts_charged) == (Status.DONE, 0)
        failed = scene.wait_for_status(culprit, *FINAL)
        assert (failed.status, failed.reason) == (Status.ERROR, Reason.EXECUTOR_CRASHED)
        histories = [scene.peek(partial(events.history, job_seq=job.seq)) or [] for job in (culprit, *others)]
    assert all(any("shared" in event.why for event in history) for history in histories)
