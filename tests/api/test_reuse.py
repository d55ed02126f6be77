"""Giving the stored result of an earlier job: only where all is the same, at once, and as the new job's own."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.providers import JobStatus
from qiskit_aer.noise import NoiseModel, depolarizing_error

from aerjob_cli import BasicAerProvider, DurableEstimator, DurableSampler
from aerjob_cli.api import reuse
from aerjob_cli.api.backend import BasicAerBackend
from aerjob_cli.api.backend_errors import RunRefused
from aerjob_cli.api.job import BasicAerJob
from aerjob_cli.store import deletions


def bell() -> QuantumCircuit:
    """Give a circuit without a name, which Qiskit numbers: each is called otherwise."""
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def noise(error: float) -> NoiseModel:
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(error, 1), ["h"])
    return model


@pytest.fixture(scope="module")
def source(working: BasicAerProvider) -> BasicAerJob:
    backend = working.get_backend("qasm_simulator")
    job = backend.run(bell(), shots=200, seed_simulator=31, noise_model=noise(0.1), reuse=True)
    assert job.reused_from is None
    job.result()
    return job


def test_the_same_circuits_give_the_stored_result_at_once(source: BasicAerJob, backend: BasicAerBackend) -> None:
    circuit = bell()
    job = backend.run(circuit, shots=200, seed_simulator=31, noise_model=noise(0.1), reuse=True, job_name="again")
    assert (job.status(), job.reused_from, job.name) == (JobStatus.DONE, source.job_id(), "again")
    assert job.started_at is None
    # By the name of this circuit, which the earlier one had not.
    assert job.result().get_counts(circuit) == source.result().get_counts()
    assert job.provenance().attempts == source.provenance().attempts
    # Of what was given to a job it is still said whence it came.
    third = backend.run(bell(), shots=200, seed_simulator=31, noise_model=noise(0.1), reuse=True)
    assert third.reused_from == source.job_id()


@pytest.mark.parametrize(
    "changes",
    [
        {"seed_simulator": 32},
        {"shots": 201},
        {"memory": True},
        {"noise_model": noise(0.2)},
        {"noise_model": None},
        {"method": "density_matrix"},
        {"reuse": False},
    ],
    ids=str,
)
def test_what_is_not_the_same_is_run(source: BasicAerJob, backend: BasicAerBackend, changes: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"shots": 200, "seed_simulator": 31, "noise_model": noise(0.1), "reuse": True} | changes
    job = backend.run(bell(), **asked)
    assert job.reused_from is None
    job.result()
    assert job.provenance().experiments[0].run.time_taken_s is not None


def test_what_was_tried_again_is_found_as_well(working: BasicAerProvider, backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    first = backend.run(circuit, shots=5, seed_simulator=77, reuse=True)
    first.result()
    again = first.verify().second
    working.delete_job(first.job_id())
    assert backend.run(circuit.copy(), shots=5, seed_simulator=77, reuse=True).reused_from == again.job_id


def test_another_circuit_is_run(source: BasicAerJob, backend: BasicAerBackend) -> None:
    other = bell()
    other.metadata = {"x": 1}
    job = backend.run(other, shots=200, seed_simulator=31, noise_model=noise(0.1), reuse=True)
    assert job.reused_from is None
    assert job.result().results[0].header["metadata"] == {"x": 1}


def sweep(backend: BasicAerBackend) -> BasicAerJob:
    theta = Parameter("theta")
    circuit = QuantumCircuit(1, 1)
    circuit.rx(theta, 0)
    circuit.measure(0, 0)
    return backend.run(
        [circuit, bell()], parameter_binds=[{theta: [0.1, 0.2, 3.0]}, {}], shots=50, seed_simulator=8, reuse=True
    )


def test_a_sweep_of_several_circuits_is_reused_whole(backend: BasicAerBackend) -> None:
    first = sweep(backend)
    expected = first.result()
    again = sweep(backend)
    assert again.reused_from == first.job_id()
    found = again.result()
    assert [found.get_counts(place) for place in range(4)] == [expected.get_counts(place) for place in range(4)]
    names = [experiment.header["name"] for experiment in found.results]
    assert names[0] == names[1] == names[2] != names[3]
    assert names == [circuit.name for circuit in again.circuits() for _ in range(3 if circuit.num_qubits == 1 else 1)]


@pytest.mark.parametrize("qubits", [3, 15], ids=["in the database", "in a file"])
def test_arrays_are_kept_when_the_earlier_job_is_deleted(working: BasicAerProvider, qubits: int) -> None:
    backend = working.get_backend("statevector_simulator")
    circuit = QuantumCircuit(qubits, name="state")
    circuit.h(range(qubits))
    first = backend.run(circuit, seed_simulator=qubits, reuse=True)
    expected = np.asarray(first.result().get_statevector())
    again = backend.run(circuit, seed_simulator=qubits, reuse=True)
    assert again.reused_from == first.job_id()
    working.delete_job(first.job_id())
    assert np.array_equal(np.asarray(again.result().get_statevector()), expected)
    # The last one that has the result is asked, not the one that has gone.
    assert backend.run(circuit, seed_simulator=qubits, reuse=True).reused_from == first.job_id()


@pytest.mark.parametrize(
    "primitive",
    [
        lambda: DurableSampler(seed=3).run([bell()], shots=100, reuse=True),
        lambda: DurableEstimator(seed=3).run([(bell().remove_final_measurements(inplace=False), "ZZ")], reuse=True),
    ],
    ids=["sampler", "estimator"],
)
def test_pubs_are_reused(
    working: BasicAerProvider, primitive: Callable[[], BasicAerJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AERJOB_HOME", str(working.client.store.paths.home))
    first = primitive()
    expected = str(first.result()[0].data)
    again = primitive()
    assert again.reused_from == first.job_id()
    assert str(again.result()[0].data) == expected


@pytest.mark.parametrize("package", ["qiskit-aer", "qiskit", "numpy"])
def test_what_ran_with_other_versions_is_run_again(
    source: BasicAerJob, backend: BasicAerBackend, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def installed(name: str) -> str:
        return "0.1" if name == package else version(name)

    monkeypatch.setattr(reuse, "_installed", installed)
    job = backend.run(bell(), shots=200, seed_simulator=31, noise_model=noise(0.1), reuse=True)
    assert job.reused_from is None
    job.cancel()


def test_a_result_that_is_gone_since_is_made_again(working: BasicAerProvider, backend: BasicAerBackend) -> None:
    """It goes between the look for it and the transaction that would refer to it."""
    circuit = QuantumCircuit(1, 1, name="gone")
    circuit.measure(0, 0)
    ask: dict[str, Any] = {"shots": 10, "seed_simulator": 1, "reuse": True}
    first = backend.run(circuit, **ask)
    first.result()
    store, original = working.client.store, working.client.store.writing_directly

    def deleted_first(**options: bool) -> Any:
        with original() as tx:
            deletions.delete_final(tx, [working.client.find(first.job_id()).seq])
        return original(**options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "writing_directly", deleted_first)
        job = backend.run(circuit, **ask)
    assert job.reused_from is None
    assert job.result().get_counts() == {"0": 10}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({}, "reuse needs a seed"),
        ({"seed_simulator": 1, "hold": True}, "is to wait for something"),
        ({"seed_simulator": 1, "reuse": "yes"}, "must be True or False"),
    ],
)
def test_what_cannot_be_is_refused(idle_backend: BasicAerBackend, asked: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RunRefused, match=sentence):
        idle_backend.run(bell(), **{"reuse": True, **asked})
