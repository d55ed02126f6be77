"""What code written for Qiskit's BasicAer relies on: names, errors, initial states, registers, headers."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit.library import XGate
from qiskit.exceptions import QiskitError
from qiskit.providers.exceptions import QiskitBackendNotFoundError
from qiskit.quantum_info import Statevector

from aerjob_cli import BasicAerError, BasicAerProvider
from aerjob_cli.api.former_names import FORMER_NAMES

CNOT = np.array([[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]])


def turned(angle: float = 0.5) -> QuantumCircuit:
    circuit = QuantumCircuit(2, name="turned", metadata={"angle": angle})
    circuit.ry(angle, 0)
    return circuit


@pytest.mark.parametrize(("former", "present"), FORMER_NAMES.items())
def test_former_names_lead_to_the_present_simulators_and_are_logged_as_qiskit_did(
    idle: BasicAerProvider, caplog: pytest.LogCaptureFixture, former: str, present: str
) -> None:
    with caplog.at_level(logging.WARNING):
        assert idle.get_backend(former) == idle.get_backend(present)
        assert idle.backends(former) == [idle.get_backend(present)]
    assert {record.name for record in caplog.records} == {"qiskit.providers.providerutils"}
    assert all(former in message and present in message for message in caplog.messages)


def test_backends_are_equal_where_their_jobs_would_be_the_same(idle: BasicAerProvider, tmp_path: Any) -> None:
    one, other = idle.get_backend("qasm_simulator"), idle.get_backend("qasm_simulator")
    assert one == other
    assert len({one, other, idle.get_backend("basic_simulator")}) == 2
    assert one != BasicAerProvider(tmp_path / "elsewhere").get_backend("qasm_simulator")


def test_backends_are_found_by_what_they_say_of_themselves(idle: BasicAerProvider) -> None:
    assert len(idle.backends(simulator=True, operational=True)) == len(idle.backends())
    assert [backend.name for backend in idle.backends(conditional=False)] == ["unitary_simulator"]
    assert idle.backends(simulator=False) == []
    with pytest.raises(QiskitBackendNotFoundError, match="conditional"):
        idle.get_backend("unitary_simulator", conditional=True)


def test_configuration_and_status_describe_the_simulator_and_its_store(
    idle: BasicAerProvider, bell: QuantumCircuit
) -> None:
    backend = idle.get_backend("aer_simulator")
    assert backend.status().pending_jobs == 0
    backend.run(bell)
    status, configuration = backend.status(), backend.configuration()
    assert (status.operational, status.pending_jobs, status.backend_name) == (True, 1, "aer_simulator")
    assert (configuration.backend_name, configuration.simulator) == ("aer_simulator", True)
    assert {"h", "cx", "measure"} <= set(configuration.basis_gates)
    # A density matrix of n qubits takes the memory of a statevector of 2n.
    widest = configuration.n_qubits
    backend.set_options(method="density_matrix")
    assert backend.configuration().num_qubits == widest // 2
    backend.set_options(method="stabilizer")
    assert backend.configuration().n_qubits > 1000
    assert "t" not in backend.operation_names
    assert backend.configuration().to_dict()["max_experiments"] == backend.max_circuits


@pytest.mark.parametrize(
    ("simulator", "run_input", "arguments", "words"),
    [
        ("statevector_simulator", QuantumCircuit(60), {}, "16 EiB.*60-qubit"),
        ("unitary_simulator", QuantumCircuit(30), {}, "16 EiB.*30-qubit"),
        ("unitary_simulator", "measured", {}, "'measure'"),
        ("basic_simulator", QuantumCircuit(25), {}, "25 qubits"),
        ("statevector_simulator", turned(), {"initial_statevector": [1, 0]}, "for 1 qubits.*'turned' has 2"),
        ("statevector_simulator", turned(), {"initial_statevector": [1, 1, 0, 0]}, "not normalized"),
        ("statevector_simulator", turned(), {"initial_statevector": [1, 0, 0]}, "2\\^n"),
        ("statevector_simulator", turned(), {"initial_statevector": "plus"}, "array"),
        ("statevector_simulator", turned(), {"initial_unitary": CNOT}, "initial_unitary"),
        ("unitary_simulator", turned(), {"initial_unitary": 2 * CNOT}, "not unitary"),
        ("unitary_simulator", turned(), {"initial_unitary": [1, 0, 0, 0]}, "2\\^n × 2\\^n"),
        ("unitary_simulator", turned(), {"initial_unitary": np.full((4, 4), np.nan)}, "not unitary"),
    ],
)
def test_what_cannot_run_is_a_basic_aer_error_that_says_so(
    idle: BasicAerProvider, bell: QuantumCircuit, simulator: str, run_input: Any, arguments: dict[str, Any], words: str
) -> None:
    if isinstance(run_input, QuantumCircuit) and not run_input.data:
        run_input.h(range(run_input.num_qubits))
    with pytest.raises(BasicAerError, match=words) as refusal:
        idle.get_backend(simulator).run(bell if run_input == "measured" else run_input, **arguments)
    assert isinstance(refusal.value, QiskitError)
    assert idle.jobs() == []


def test_a_limit_of_qubits_can_be_set(idle: BasicAerProvider) -> None:
    backend = idle.get_backend()
    backend.set_max_qubits(24)
    assert (backend.configuration().n_qubits, backend.num_qubits) == (24, None)
    backend.run(QuantumCircuit(24, 1))
    with pytest.raises(BasicAerError, match=r"25 qubits.*takes 24"):
        backend.run([QuantumCircuit(1, 1), QuantumCircuit(25, 1)])
    with pytest.raises(BasicAerError, match="whole number"):
        backend.set_max_qubits(0)
    backend.set_max_qubits(None)
    backend.run(QuantumCircuit(25, 1))


def test_a_simulation_begins_with_the_state_that_is_given(working: BasicAerProvider) -> None:
    initial = np.array([0, 0.6, 0, 0.8j])
    backend = working.get_backend("statevector_simulator")
    job = backend.run([turned(), turned(1.0)], initial_statevector=initial)
    result = job.result()
    for index, angle in enumerate((0.5, 1.0)):
        expected = Statevector(initial).evolve(turned(angle))
        assert np.allclose(result.get_statevector(index), expected)
        assert result.results[index].header["metadata"] == {"angle": angle}
    assert [circuit.data[0].name for circuit in job.circuits()] == ["set_statevector"] * 2

    backend.set_options(initial_statevector=Statevector(initial))
    assert np.allclose(backend.run(turned()).result().get_statevector(), result.get_statevector(0))
    with pytest.raises(BasicAerError, match="normalized"):
        backend.set_options(initial_statevector=[1, 1])


def test_a_unitary_begins_with_the_one_that_is_given_and_is_chopped(working: BasicAerProvider) -> None:
    result = (
        working.get_backend("unitary_simulator").run(turned(0.1), initial_unitary=CNOT, chop_threshold=0.2).result()
    )
    # cos 0.05 and sin 0.05: the sines are below the threshold.
    assert np.allclose(result.get_unitary(), np.cos(0.05) * CNOT)
    whole = working.get_backend("unitary_simulator").run(turned(0.1)).result().get_unitary()
    assert np.count_nonzero(np.abs(whole) > 0.01) == 8


def test_states_take_part_in_arithmetic_as_arrays_do(working: BasicAerProvider) -> None:
    circuits = [turned(), QuantumCircuit(2)]
    state = working.get_backend("statevector_simulator").run(circuits).result().get_statevector(1)
    zero = np.array([1, 0, 0, 0])
    assert isinstance(state, Statevector)
    for value in (zero - state, state.data + -1 * zero, zero - zero @ state * zero):
        assert np.allclose(value, 0)
    unitary = working.get_backend("unitary_simulator").run(circuits).result().get_unitary(1)
    assert np.allclose(np.eye(4) - unitary, 0)
    assert np.allclose(CNOT @ unitary, CNOT)
    assert np.allclose(np.eye(4) + unitary, 2 * np.eye(4))


def test_registers_conditions_resets_and_memory_come_as_in_qiskit(working: BasicAerProvider) -> None:
    qubits, first, second = QuantumRegister(3, "q"), ClassicalRegister(2, "first"), ClassicalRegister(1, "second")
    circuit = QuantumCircuit(qubits, first, second, name="steps")
    circuit.x(0)
    circuit.measure(0, first[1])
    with circuit.if_test((first, 2)):
        circuit.append(XGate(), [1])
    circuit.reset(0)
    circuit.measure(0, second[0])
    circuit.measure(1, first[0])
    result = working.get_backend().run(circuit, shots=4, memory=True).result()
    assert result.get_counts("steps") == {"0 11": 4}
    assert result.get_memory(circuit) == ["0 11"] * 4
    assert result.data(0)["counts"] == {"0x3": 4}
    assert result.results[0].header["creg_sizes"] == [["first", 2], ["second", 1]]
    assert (result.status, result.results[0].status, result.backend_name) == ("COMPLETED", "DONE", "qasm_simulator")


def test_the_metadata_of_a_job_are_the_header_of_its_result(working: BasicAerProvider, bell: QuantumCircuit) -> None:
    header = {"x": 1, "y": [1, 2, 3], "z": {"a": 4}}
    assert working.get_backend().run(bell, shots=1, metadata=header).result().header == header
    assert working.get_backend().run(bell, shots=1).result().header is None
