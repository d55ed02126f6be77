"""Noise, devices, values of parameters and Aer's own instructions from Python, on a real worker, against Aer itself."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.exceptions import QiskitError
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Kraus, SparsePauliOp
from qiskit.result import Result
from qiskit_aer import AerSimulator
from qiskit_aer.library import SaveExpectationValue, SaveStatevector, SetStatevector
from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error

from aerjob_cli import BasicAerProvider
from aerjob_cli.api.backend import BasicAerBackend
from tests.api.conftest import InAnotherProcess, circuit_of_bell, home_of
from tests.support.values import same

PATIENCE_S = 120.0
THETA = Parameter("θ")
RETRIEVED = """
import sys
from aerjob_cli import BasicAerProvider
result = BasicAerProvider().retrieve_job("{job_id}").result(timeout=120)
print([result.data(index)["counts"] for index in range(len(result.results))])
"""


def noisy() -> NoiseModel:
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.2, 1), ["h", "ry"])
    model.add_quantum_error(depolarizing_error(0.3, 2), ["cx"], [0, 1])
    model.add_readout_error(ReadoutError([[0.9, 0.1], [0.3, 0.7]]), [1])
    return model


def turned() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1, name="turned")
    circuit.ry(THETA, 0)
    circuit.measure(0, 0)
    return circuit


def with_aers_own() -> QuantumCircuit:
    """Sets a state, goes through a channel, and saves in the middle and in a branch."""
    circuit = QuantumCircuit(2, 1, name="Aer's own")
    circuit.append(SetStatevector(np.array([0.6, 0.8j, 0, 0])), [0, 1])
    circuit.append(SaveStatevector(2, label="before"), [0, 1])
    circuit.append(Kraus([np.sqrt(0.75) * np.eye(2), 0.5 * np.array([[0, 1], [1, 0]])]).to_instruction(), [0])
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.append(SaveExpectationValue(SparsePauliOp("Z"), label="z", pershot=True), [0])
    return circuit


@pytest.fixture
def aer(working: BasicAerProvider) -> BasicAerBackend:
    return working.get_backend("aer_simulator")


def expected(circuits: Any, **options: Any) -> Result:
    return AerSimulator().run(circuits, shots=300, seed_simulator=5, max_parallel_threads=1, **options).result()


def data_of(result: Result) -> list[dict[str, Any]]:
    return [result.data(index) for index in range(len(result.results))]


def test_a_noise_model_given_to_run_or_set_as_an_option(
    aer: BasicAerBackend, working: BasicAerProvider, in_another_process: InAnotherProcess
) -> None:
    wanted = data_of(expected(circuit_of_bell(), noise_model=noisy()))
    job = aer.run(circuit_of_bell(), shots=300, seed_simulator=5, noise_model=noisy())
    aer.set_options(noise_model=noisy())
    again = aer.run(circuit_of_bell(), shots=300, seed_simulator=5)
    assert data_of(again.result(timeout=PATIENCE_S)) == wanted
    assert wanted != data_of(expected(circuit_of_bell()))
    found = in_another_process(home_of(working), RETRIEVED.format(job_id=job.job_id()))
    assert literal_eval(found) == [item["counts"] for item in wanted]


def test_a_noise_model_without_errors_is_none(aer: BasicAerBackend) -> None:
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.0, 1), ["h"])
    job = aer.run(circuit_of_bell(), shots=300, seed_simulator=5, noise_model=model)
    assert data_of(job.result(timeout=PATIENCE_S)) == data_of(expected(circuit_of_bell(), noise_model=model))


def test_a_simulator_in_the_place_of_a_device(working: BasicAerProvider) -> None:
    device = GenericBackendV2(3, seed=4)
    backend = working.from_backend(device)
    assert backend.num_qubits == 3
    native = transpile(circuit_of_bell(), backend, optimization_level=1, seed_transpiler=1)
    job = backend.run(native, shots=300, seed_simulator=5)
    wanted = AerSimulator.from_backend(device).run(native, shots=300, seed_simulator=5, max_parallel_threads=1)
    assert data_of(job.result(timeout=PATIENCE_S)) == data_of(wanted.result())


def test_values_of_parameters_are_experiments_in_aers_order(
    aer: BasicAerBackend, working: BasicAerProvider, in_another_process: InAnotherProcess
) -> None:
    circuits = [turned(), circuit_of_bell(), turned()]
    binds: list[dict[Any, Any]] = [{THETA: [0.1, 1.0, 3.0]}, {}, {THETA: np.linspace(0, 1, 2)}]
    wanted = expected(circuits, parameter_binds=[{key: list(bind[key]) for key in bind} for bind in binds])
    job = aer.run(circuits, shots=300, seed_simulator=5, parameter_binds=binds)
    found = in_another_process(home_of(working), RETRIEVED.format(job_id=job.job_id()))
    assert literal_eval(found) == [item["counts"] for item in data_of(wanted)]
    assert [item.seed_simulator for item in job.result().results] == [item.seed_simulator for item in wanted.results]


def test_aers_own_instructions_come_back_from_the_store(aer: BasicAerBackend, working: BasicAerProvider) -> None:
    job = aer.run(with_aers_own(), shots=300, seed_simulator=5)
    found = working.retrieve_job(job.job_id()).result(timeout=PATIENCE_S)
    assert same(data_of(found), data_of(expected(with_aers_own())))
    assert {"before", "z", "counts"} <= set(found.data(0))


@pytest.fixture
def idle_aer(idle: BasicAerProvider) -> Iterator[BasicAerBackend]:
    yield idle.get_backend("aer_simulator")
    assert idle.jobs() == [], "what is refused is not stored"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "has parameters without a value: θ"),
        ({"parameter_binds": [{}]}, "has parameters without a value: θ"),
        ({"parameter_binds": [{"φ": [1.0]}]}, "no circuit has a parameter 'φ'; there is 'θ'"),
        ({"parameter_binds": []}, "has 0 entries for 1 circuits"),
        ({"parameter_binds": 3}, "is of type int; it must be a list"),
        ({"parameter_binds": [[1.0]]}, "something of type list"),
        ({"parameter_binds": [{THETA: []}]}, "have 0 values"),
        ({"parameter_binds": [{THETA: [1.0], "φ": [1.0, 2.0]}]}, "have 1 and 2 values"),
        ({"parameter_binds": [{THETA: ["a"]}]}, "are not real numbers"),
        ({"parameter_binds": [{THETA: "12"}]}, "are not real numbers"),
        ({"parameter_binds": [{THETA: [1j]}]}, "are not real numbers"),
        ({"parameter_binds": [{THETA: [float("nan")]}]}, "is not a finite number"),
        ({"parameter_binds": [{THETA: np.zeros(100_001)}]}, "got 100001 experiments; a job may have 100000"),
        ({"parameter_binds": [{THETA: [1.0]}], "noise_model": "bad"}, "is of type str; it must be a"),
    ],
)
def test_refused_before_anything_is_stored(idle_aer: BasicAerBackend, options: dict[str, Any], words: str) -> None:
    with pytest.raises(QiskitError) as caught:
        idle_aer.run(turned(), **options)
    assert words in str(caught.value)


def test_noise_for_other_gates_is_refused(idle_aer: BasicAerBackend) -> None:
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.1, 2), ["cnot"])
    with pytest.raises(QiskitError, match="the noise model is for 'cnot', and the circuits have 'cx', 'h'"):
        idle_aer.run(circuit_of_bell(), noise_model=model)
    with pytest.raises(QiskitError, match="is of type int"):
        idle_aer.set_options(noise_model=3)


def test_noise_for_a_label_is_felt(aer: BasicAerBackend) -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.x(0, label="bad x")
    circuit.measure(0, 0)
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(1.0, 1), ["bad x"])
    found = aer.run(circuit, shots=300, seed_simulator=5, noise_model=model).result(timeout=PATIENCE_S)
    assert data_of(found) == data_of(expected(circuit, noise_model=model))
    assert found.get_counts()["0"] > 50


def test_devices_and_circuits_that_do_not_fit(idle: BasicAerProvider) -> None:
    with pytest.raises(QiskitError, match="is of type str; it must be a BackendV2"):
        idle.from_backend("device")
    quiet = QuantumCircuit(1)
    quiet.h(0)
    wide = QuantumCircuit(3, 1)
    wide.measure(2, 0)
    with pytest.raises(QiskitError, match="has 3 qubits, and the device has 2"):
        idle.from_backend(GenericBackendV2(2)).run(wide)
    with pytest.raises(QiskitError, match="runs without noise"):
        idle.get_backend("basic_simulator").run(circuit_of_bell(), noise_model=noisy())
    with pytest.raises(QiskitError, match="runs without noise"):
        idle.get_backend("unitary_simulator").run(quiet, noise_model=noisy())
    assert idle.jobs() == []
