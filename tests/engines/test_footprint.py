"""What is estimated of the memory: by method, width, precision, shots, noise, and what is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from qiskit import QuantumCircuit

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.program import Program
from aerjob_cli.engines.aer import AerEngine
from aerjob_cli.engines.bonds import bond_dimensions
from aerjob_cli.engines.memory import machine_mb
from aerjob_cli.engines.shots import is_sampled
from aerjob_cli.errors import CircuitRefused

MIB = 2**20


def chain(qubits: int, *, measures: bool = True) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits, qubits if measures else 0)
    circuit.ry(0.3, range(qubits))
    circuit.cx(range(qubits - 1), range(1, qubits))
    if measures:
        circuit.measure(range(qubits), range(qubits))
    return circuit


def estimated(circuit: QuantumCircuit, **changes: Any) -> int | None:
    fields: dict[str, Any] = {
        "job_id": "job",
        "backend": "aer_simulator",
        "method": "automatic",
        "shots": 100,
        "seed": 5,
        "memory": False,
        "threads": 1,
        "max_memory_mb": 2**20,
        "options": {},
        "counts_required": False,
    }
    return AerEngine().check(Program([circuit]), JobSpec(**fields | changes)).estimated_bytes


@pytest.mark.parametrize(
    ("circuit", "changes", "mib"),
    [
        (chain(22), {}, 64),
        (chain(22), {"options": {"precision": "single"}}, 32),
        (chain(11), {"method": "density_matrix"}, 64),
        (chain(22, measures=False), {"options": {"save_state": True}}, 64),
        (chain(22, measures=False), {"options": {"save_state": True, "precision": "single"}}, 96),
        (chain(11, measures=False), {"method": "unitary", "shots": 1}, 64),
        (chain(40), {"method": "matrix_product_state"}, 0),
    ],
)
def test_the_state_is_most_of_it(circuit: QuantumCircuit, changes: dict[str, Any], mib: int) -> None:
    found = estimated(circuit, **changes)
    assert found is not None
    assert mib * MIB <= found <= (mib + 8) * MIB


def test_shots_that_are_drawn_or_kept_count() -> None:
    few = estimated(chain(4), shots=100) or 0
    many = estimated(chain(4), shots=10**6) or 0
    kept = estimated(chain(4), shots=10**6, memory=True) or 0
    assert 0 < few < many - 100 * MIB < kept - 120 * MIB


def test_nobody_can_tell_of_a_product_state_without_a_bound() -> None:
    circuit = QuantumCircuit(50, 50)
    for layer in range(60):
        circuit.cx(range(layer % 2, 49, 2), range(layer % 2 + 1, 50, 2))
        circuit.ry(0.1, range(50))
    circuit.measure(range(50), range(50))
    assert estimated(circuit, method="matrix_product_state") is None
    bounded = {"matrix_product_state_max_bond_dimension": 16}
    found = estimated(circuit, method="matrix_product_state", options=bounded)
    assert found is not None
    assert found < 32 * MIB


def test_what_no_worker_here_would_begin_is_refused() -> None:
    # Its state alone is small.
    with pytest.raises(CircuitRefused, match=r"takes about .* with all that its shots add, and a job on this machine"):
        estimated(chain(4), shots=2 * machine_mb() * MIB // 115)


def with_reset(circuit: QuantumCircuit) -> None:
    circuit.h(0)
    circuit.reset(0)
    circuit.measure(0, 0)


def with_another_qubit_afterwards(circuit: QuantumCircuit) -> None:
    circuit.measure(0, 0)
    circuit.h(1)
    circuit.measure(1, 1)


def with_early_measurement(circuit: QuantumCircuit) -> None:
    circuit.measure(0, 0)
    circuit.h(0)
    circuit.measure(0, 1)


def with_condition(circuit: QuantumCircuit) -> None:
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)


def with_measurements_at_the_end(circuit: QuantumCircuit) -> None:
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.barrier()
    circuit.measure(1, 1)


@pytest.mark.parametrize(
    ("build", "sampled"),
    [
        (with_measurements_at_the_end, True),
        (with_another_qubit_afterwards, True),
        (with_reset, False),
        (with_early_measurement, False),
        (with_condition, False),
    ],
)
def test_what_is_sampled_is_what_aer_samples(build: Callable[[QuantumCircuit], None], sampled: bool) -> None:
    from qiskit_aer import AerSimulator

    circuit = QuantumCircuit(2, 2)
    build(circuit)
    result = AerSimulator(method="statevector").run(circuit, shots=10).result()
    assert is_sampled(circuit, "statevector") is result.results[0].metadata["measure_sampling"] is sampled


def test_bonds_grow_with_the_gates_across_them() -> None:
    circuit = QuantumCircuit(6)
    circuit.cx(0, 1)
    circuit.cx(0, 2)
    circuit.swap(4, 5)
    circuit.cx(2, 3)
    circuit.cx(2, 3)
    circuit.cx(2, 3)
    assert bond_dimensions(circuit, at_most=100) == [2, 2, 8, 1, 2]
    assert bond_dimensions(circuit, at_most=4) == [2, 2, 4, 1, 2]
