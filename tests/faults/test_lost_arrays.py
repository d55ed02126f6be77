"""kill -9 in the middle of a job whose results have arrays: what is stored stays, the rest is run, none is lost."""

from __future__ import annotations

import os
import signal

from aerjob_cli.api.requests import CircuitBytes, Plan, Request
from aerjob_cli.states import Status
from aerjob_cli.store import experiments
from aerjob_cli.store.records import JobRecord
from tests.support.circuits import layers
from tests.support.running import Scene, gone, until

COUNT = 200
# The state of 10 qubits is kept in the database, that of 15 in a file.
WIDTHS = (10, 15)


def states() -> Request:
    texts = [layers(WIDTHS[index % 2], 4, seed=index).replace("measure q -> c;", "") for index in range(COUNT)]
    return Request(
        circuits=tuple(CircuitBytes(f"c{at}", "openqasm2", text.encode()) for at, text in enumerate(texts)),
        backend="statevector_simulator",
        seed=3,
        plan=Plan(COUNT, 1),
    )


def arrays_of(scene: Scene, job: JobRecord) -> list[tuple[int, bytes, list[tuple[str, int, str]]]]:
    """Give every result with its arrays, whose bytes are read and so checked."""
    found = []
    for item in scene.client.results(job):
        assert all(len(array.load()) == array.size_bytes for array in item.arrays)
        found.append(
            (item.position, item.data, [(array.name, array.size_bytes, array.sha256) for array in item.arrays])
        )
    return found


def test_stored_arrays_survive_a_kill_and_are_not_run_again(scene: Scene) -> None:
    undisturbed, job = scene.put(states(), states())
    scene.start_worker("--slots", "1")
    scene.wait_for_status(undisturbed, Status.DONE)
    scene.wait(lambda tx: (experiments.missing_ranges(tx, job.seq, COUNT)[0][0] > 20) or None)
    worker = scene.worker()
    os.kill(worker.pid, signal.SIGKILL)
    until(lambda: gone(worker) or None)
    before = arrays_of(scene, job)
    assert 20 < len(before) < COUNT
    assert all(len(arrays) == 1 for *_, arrays in before)
    scene.start_worker()
    done = scene.wait_for_status(job, Status.DONE)
    after = arrays_of(scene, done)
    assert after[: len(before)] == before
    assert after == arrays_of(scene, undisturbed)
    attempts = scene.peek(lambda tx: [item.attempt for item in experiments.results_of(tx, job.seq)])
    assert attempts == [1] * len(before) + [2] * (COUNT - len(before))
