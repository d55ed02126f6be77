"""The disk does not take a result: the job waits for a better disk, and is charged no attempt for it."""

from __future__ import annotations

from itertools import pairwise

from aerjob_cli.api.requests import CircuitBytes, Plan, Request
from aerjob_cli.states import Status
from aerjob_cli.store import events
from aerjob_cli.store.records import EventRecord
from tests.support.circuits import layers
from tests.support.running import Scene


def test_a_job_whose_result_cannot_be_stored_runs_again_when_it_can(scene: Scene) -> None:
    # The state of 16 qubits, 1 MiB, is kept in a file; that of 2 is not.
    warm = Request(circuits=(_circuit(2),), backend="statevector_simulator", plan=Plan(1, 1))
    large = Request(circuits=(_circuit(16),), backend="statevector_simulator", plan=Plan(1, 1))
    (first,) = scene.put(warm)
    scene.start_worker("--slots", "1")
    scene.wait_for_status(first, Status.DONE)
    # From here on an executor is there that runs the next job, and cannot write what comes of it.
    incoming = scene.store.paths.incoming
    aside = incoming.with_name("aside")
    incoming.rename(aside)
    incoming.write_bytes(b"")
    (job,) = scene.put(large)
    given_back, begun_again = scene.wait(lambda tx: _given_back_and_begun_again(events.history(tx, job.seq)))
    assert begun_again.at_us - given_back.at_us > 4_000_000  # not at once: it would run for nothing
    incoming.unlink()
    aside.rename(incoming)
    done = scene.wait_for_status(job, Status.DONE)
    assert done.attempts_charged == 0
    (result,) = scene.client.results(done)
    assert len(result.arrays[0].load()) > 2**20


def _given_back_and_begun_again(history: list[EventRecord]) -> tuple[EventRecord, EventRecord] | None:
    return next((pair for pair in pairwise(history) if "could not be stored" in pair[0].why), None)


def _circuit(qubits: int) -> CircuitBytes:
    return CircuitBytes("c", "openqasm2", layers(qubits, 2).replace("measure q -> c;", "").encode())
