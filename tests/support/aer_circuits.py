"""Circuits with all that Aer has of its own, drawn at random for property tests."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import qiskit_aer  # noqa: F401 - it gives circuits their save_* and set_*
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import Kraus, Pauli, SparsePauliOp, random_clifford, random_statevector
from qiskit_aer.noise import PauliError, PauliLindbladError, amplitude_damping_error, depolarizing_error

Draw = st.DrawFn
Step = Callable[[QuantumCircuit, Draw], None]

_ANGLES = st.floats(-math.pi, math.pi, allow_nan=False)
_FLAGS = st.booleans()


def _qubit(circuit: QuantumCircuit, draw: Draw) -> int:
    return draw(st.integers(0, circuit.num_qubits - 1))


def _gate(circuit: QuantumCircuit, draw: Draw) -> None:
    qubit = _qubit(circuit, draw)
    name = draw(st.sampled_from(["h", "x", "s", "sx", "rx", "rz", "cx", "assigned"]))
    if name in ("rx", "rz"):
        getattr(circuit, name)(draw(_ANGLES), qubit)
    elif name == "assigned":
        # As a parameter's value stands in a circuit after ``assign_parameters``.
        angle = Parameter("θ")
        part = QuantumCircuit(1)
        part.ry(2 * angle, 0)
        circuit.compose(part.assign_parameters({angle: draw(_ANGLES)}), [qubit], inplace=True)
    elif name == "cx" and circuit.num_qubits > 1:
        circuit.cx(qubit, (qubit + 1) % circuit.num_qubits)
    elif name != "cx":
        getattr(circuit, name)(qubit)


def _channel(circuit: QuantumCircuit, draw: Draw) -> None:
    qubit, strength = _qubit(circuit, draw), draw(st.floats(0.05, 0.3))
    kraus = Kraus([math.sqrt(1 - strength) * np.eye(2), math.sqrt(strength) * np.array([[0, 1], [1, 0]])])
    channels = {
        "kraus": kraus.to_instruction(),
        "depolarizing": depolarizing_error(strength, 1),
        "damping": amplitude_damping_error(strength),
        "paulis": PauliError([Pauli("I"), Pauli("Y")], [1 - strength, strength]),
        "lindblad": PauliLindbladError([Pauli("X"), Pauli("Z")], [strength, 0.01]),
    }
    circuit.append(channels[draw(st.sampled_from(sorted(channels)))], [qubit])


def _measure(circuit: QuantumCircuit, draw: Draw) -> None:
    circuit.measure(_qubit(circuit, draw), draw(st.integers(0, circuit.num_clbits - 1)))


def _reset(circuit: QuantumCircuit, draw: Draw) -> None:
    circuit.reset(_qubit(circuit, draw))


def _branch(circuit: QuantumCircuit, draw: Draw) -> None:
    qubit = _qubit(circuit, draw)
    with circuit.if_test((draw(st.integers(0, circuit.num_clbits - 1)), 1)) as otherwise:
        circuit.x(qubit)
        circuit.save_expectation_value(Pauli("Z"), [qubit], label=_label(circuit, draw), pershot=True)
    with otherwise:
        circuit.append(depolarizing_error(0.2, 1), [qubit])


def _loop(circuit: QuantumCircuit, draw: Draw) -> None:
    with circuit.for_loop(range(draw(st.integers(1, 3)))):
        _gate(circuit, draw)
        circuit.append(amplitude_damping_error(0.1), [_qubit(circuit, draw)])


def _save(circuit: QuantumCircuit, draw: Draw) -> None:
    label, everything = _label(circuit, draw), list(range(circuit.num_qubits))
    how = {"pershot": draw(_FLAGS), "conditional": draw(_FLAGS)}
    kind = draw(st.sampled_from(sorted(_SAVES)))
    _SAVES[kind](circuit, everything, label, how)


def _label(circuit: QuantumCircuit, draw: Draw) -> str:
    return f"{draw(st.sampled_from(['a', 'ψ', 'two words', '$tuple']))}{len(circuit.data)}"


_SAVES: dict[str, Callable[[QuantumCircuit, list[int], str, dict[str, bool]], object]] = {
    "statevector": lambda circuit, _, label, how: circuit.save_statevector(label=label, **how),
    "statevector_dict": lambda circuit, _, label, how: circuit.save_statevector_dict(label=label, **how),
    "density_matrix": lambda circuit, qubits, label, how: circuit.save_density_matrix(qubits[:1], label, **how),
    "probabilities": lambda circuit, qubits, label, how: circuit.save_probabilities(qubits, label, **how),
    "probabilities_dict": lambda circuit, qubits, label, how: circuit.save_probabilities_dict(qubits, label, **how),
    "amplitudes": lambda circuit, _, label, how: circuit.save_amplitudes([0, 1], label, **how),
    "amplitudes_squared": lambda circuit, _, label, how: circuit.save_amplitudes_squared([1], label, **how),
    "state": lambda circuit, _, label, how: circuit.save_state(label, **how),
    "accumulated": lambda circuit, qubits, label, _: circuit.save_expectation_value(
        Pauli("Z"), qubits[:1], label, unnormalized=True
    ),
    "variance": lambda circuit, qubits, label, how: circuit.save_expectation_value_variance(
        SparsePauliOp(["X" * len(qubits), "Z" * len(qubits)], [0.3, -1.7]), qubits, label, **how
    ),
}

_STEPS: tuple[Step, ...] = (_gate, _gate, _gate, _channel, _measure, _reset, _branch, _loop, _save, _save)


@st.composite
def aer_circuits(draw: Draw) -> QuantumCircuit:
    """Draw a circuit of one to three qubits that Aer runs with a statevector, or refuses."""
    circuit = QuantumCircuit(draw(st.integers(1, 3)), 2, name=draw(st.sampled_from(["bell", "ψ", "a b"])))
    circuit.metadata = draw(st.sampled_from([{}, {"angle": 0.1, "tags": ["x"]}]))
    if draw(_FLAGS):
        seed = draw(st.integers(0, 2**32 - 1))
        start = random_statevector(2**circuit.num_qubits, seed=seed)
        circuit.set_statevector(start)
    for _ in range(draw(st.integers(1, 6))):
        draw(st.sampled_from(_STEPS))(circuit, draw)
    if draw(_FLAGS):
        # An instruction whose definition holds what QPY would lose.
        part = QuantumCircuit(1, name="part")
        part.h(0)
        part.append(depolarizing_error(0.1, 1), [0])
        circuit.append(part.to_instruction(), [0])
    circuit.measure(0, 0)
    return circuit


def every_instruction() -> list[QuantumCircuit]:
    """Make circuits, one for each of Aer's own instructions, that the method of its name runs."""
    circuits = []
    clifford = random_clifford(2, seed=1)
    for name, values in {
        "set_density_matrix": [np.eye(4) / 4],
        "set_stabilizer": [clifford],
        "set_statevector": [[0.6, 0, 0, 0.8j]],
        "set_superop": [np.eye(16)],
        "set_unitary": [np.eye(4)],
        "save_clifford": [],
        "save_density_matrix": [],
        "save_matrix_product_state": [],
        "save_stabilizer": [],
        "save_superop": [],
        "save_unitary": [],
    }.items():
        circuit = QuantumCircuit(2, name=name)
        if name.startswith("set_"):
            getattr(circuit, name)(*values)
        circuit.h(0)
        circuit.cx(0, 1)
        if name.startswith("save_"):
            getattr(circuit, name)(*values)
        else:
            circuit.save_state()
        circuits.append(circuit)
    product = QuantumCircuit(2, name="set_matrix_product_state")
    gamma = [(np.array([[1.0, 0]]), np.array([[0, 1.0]])), (np.array([[1.0], [0]]), np.array([[0], [1.0]]))]
    product.set_matrix_product_state((gamma, [[0.5**0.5, 0.5**0.5]]))
    product.save_state()
    return [*circuits, product]
