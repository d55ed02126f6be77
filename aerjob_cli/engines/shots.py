"""Whether all shots of a circuit are drawn from one final state, or each is simulated for itself."""

from __future__ import annotations

from qiskit import QuantumCircuit
from qiskit.circuit import Qubit

# These change no state after a measurement.
_HARMLESS = ("measure", "barrier", "save_", "id", "delay")
_COLLAPSES = frozenset({"reset", "initialize", "kraus"})
# Noise is part of what these keep; elsewhere it is drawn anew for each shot.
_AVERAGES = frozenset({"density_matrix", "superop"})


def is_sampled(circuit: QuantumCircuit, method: str, *, is_noisy: bool = False) -> bool:
    """Tell whether ``method`` of Aer simulates the circuit once for all shots.

    It does where nothing is done to a qubit after its measurement, and nothing is random before one
    (https://qiskit.github.io/qiskit-aer/stubs/qiskit_aer.AerSimulator.html, "measure sampling").
    """
    if circuit.has_control_flow_op() or (is_noisy and method not in _AVERAGES):
        return False
    names = circuit.count_ops()
    if not _COLLAPSES.isdisjoint(names) and method not in _AVERAGES and not _only_begins(circuit):
        return False
    if "measure" not in names:
        return True
    measured: set[Qubit] = set()
    for instruction in circuit.data:
        if instruction.name == "measure":
            measured.update(instruction.qubits)
        elif not instruction.name.startswith(_HARMLESS) and not measured.isdisjoint(instruction.qubits):
            return False
    return True


def _only_begins(circuit: QuantumCircuit) -> bool:
    """Tell whether nothing is reset or initialized after anything else has been done to its qubits."""
    touched: set[Qubit] = set()
    for instruction in circuit.data:
        if instruction.name in _COLLAPSES and not touched.isdisjoint(instruction.qubits):
            return False
        if instruction.name != "barrier":
            touched.update(instruction.qubits)
    return True
