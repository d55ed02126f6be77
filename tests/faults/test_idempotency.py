"""Fifty processes submit under one idempotency key at once: there is one job, and each of them is told which."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerjob_cli.states import Status
from aerjob_cli.store.flocks import try_flock
from aerjob_cli.store.listing import JobFilter
from tests.faults.support.histories import require_legal
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine
from tests.support.running import Scene

SUBMITTERS = 50
KEY = "the key of all"

# One interpreter that has imported and built everything forks the submitters, which a closing pipe sends off together.
MANY_SUBMITTERS = """
import os, sys
from qiskit import QuantumCircuit
from aerjob_cli import BasicAerProvider
from aerjob_cli.executors.child import preload
preload()
count, kinds, key = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
gate, opens = os.pipe()
for number in range(count):
    if os.fork() == 0:
        os.close(opens)
        circuit = QuantumCircuit(2, 2, name="bell")
        circuit.h(0)
        circuit.cx(0, 1)
        for _ in range(number % kinds):
            circuit.x(0)
        circuit.measure([0, 1], [0, 1])
        backend = BasicAerProvider().get_backend("qasm_simulator")
        os.read(gate, 1)
        try:
            answer = "id " + backend.run(circuit, shots=100, idempotency_key=key).job_id()
        except Exception as error:
            answer = f"{type(error).__name__} {error}"
        os.write(1, f"{number % kinds} {answer}\\n".encode())
        os._exit(0)
os.close(opens)
assert {os.wait()[1] for _ in range(count)} == {0}
"""


def submit_many(scene: Scene, aerjob: CommandLine, *, kinds: int, key: str) -> list[tuple[int, str]]:
    """Submit as often as there are submitters, ``kinds`` different circuits; give the kind and the answer of each."""
    done = subprocess.run(
        [sys.executable, "-c", MANY_SUBMITTERS, str(SUBMITTERS), str(kinds), key],
        env=aerjob.environment(None),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    lines = [line.split(" ", 1) for line in done.stdout.splitlines()]
    assert len(lines) == SUBMITTERS
    return [(int(kind), answer) for kind, answer in lines]


def test_a_key_makes_one_job_of_fifty_submissions_at_once(scene: Scene, aerjob: CommandLine) -> None:
    answers = submit_many(scene, aerjob, kinds=1, key=KEY)
    (job,) = scene.client.listed(JobFilter(), limit=None)
    assert Counter(answers) == {(0, f"id {job.job_id}"): SUBMITTERS}
    # Whoever submitted has woken a worker as well: one, which runs it once.
    done = scene.wait_for_status(job, Status.DONE)
    assert require_legal(scene.store, job.job_id).attempt == 1
    assert len(list(scene.client.results(done))) == 1


@pytest.fixture
def nobody_works(scene: Scene, aerjob: CommandLine) -> Iterator[None]:
    """No worker can be started: who would start one finds that somebody else is about to."""
    assert aerjob.home == scene.paths.home  # whose end waits for the lock, so this one's must come before
    lock = try_flock(scene.paths.starter_lock)
    assert lock is not None
    yield
    lock.release()


@pytest.mark.usefixtures("nobody_works")
def test_a_key_refuses_other_circuits_whichever_came_first(scene: Scene, aerjob: CommandLine) -> None:
    answers = submit_many(scene, aerjob, kinds=2, key=KEY)
    (job,) = scene.client.listed(JobFilter(), limit=None)
    sentence = (
        f"the idempotency key '{KEY}' belongs to job {job.job_id}, which was submitted with other circuits or "
        "options; choose another key"
    )
    (winner,) = {kind for kind, answer in answers if answer == f"id {job.job_id}"}
    assert {kind for kind, answer in answers if answer != f"id {job.job_id}"} == {1 - winner}
    assert {answer.split(" ", 1)[1].strip("'\"") for kind, answer in answers if kind != winner} == {sentence}
    assert Counter(kind for kind, _ in answers) == {0: SUBMITTERS // 2, 1: SUBMITTERS // 2}


def test_commands_at_once_under_one_key_print_one_id(scene: Scene, aerjob: CommandLine, tmp_path: Path) -> None:
    bell, other = tmp_path / "bell.qasm", tmp_path / "other.qasm"
    bell.write_text(BELL)
    other.write_text(BELL.replace("h q[0]", "x q[0]"))
    several = [aerjob.start("submit", bell, "--idempotency-key", KEY) for _ in range(4)]
    answers = [process.communicate(timeout=120) for process in several]
    assert [process.returncode for process in several] == [0] * 4, answers
    (job,) = scene.client.listed(JobFilter(), limit=None)
    assert {stdout for stdout, _ in answers} == {f"{job.job_id}\n"}
    refused = aerjob("submit", other, "--idempotency-key", KEY)
    assert (refused.returncode, refused.stdout) == (6, "")
    assert f"belongs to job {job.job_id}, which was submitted with other circuits or options" in " ".join(
        refused.stderr.split()
    )
