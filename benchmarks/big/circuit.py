"""The circuit that is measured."""

from __future__ import annotations

from qiskit import QuantumCircuit
from qiskit.circuit.library import quantum_volume

SHOTS = 1000
_DEPTH = 10


def volume(qubits: int, seed: int) -> QuantumCircuit:
    """Give a quantum volume circuit of depth 10, measured."""
    circuit = quantum_volume(qubits, _DEPTH, seed=seed)
    circuit.measure_all()
    return circuit
