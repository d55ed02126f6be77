"""The circuits that figures are measured with, and nothing about who runs them."""

from __future__ import annotations

import math
import random

from qiskit import QuantumCircuit
from qiskit.circuit.library import quantum_volume

SHOTS = 1024

BELL = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg c[2];
h q[0];
cx q[0],q[1];
measure q -> c;
"""


def two_qubit_texts(count: int, source: random.Random) -> list[str]:
    """Write different two-qubit circuits as OpenQASM 2; their angles are random, so that no cache helps anybody."""

    def angle() -> str:
        return f"{source.uniform(0, 2 * math.pi):.12f}"

    return [
        f"""OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg c[2];
rx({angle()}) q[0];
ry({angle()}) q[1];
cx q[0],q[1];
rz({angle()}) q[1];
rx({angle()}) q[0];
measure q -> c;
"""
        for _ in range(count)
    ]


def big_circuit(qubits: int, seed: int) -> QuantumCircuit:
    """Give a quantum volume circuit of depth 10 with measurements."""
    circuit = quantum_volume(qubits, 10, seed=seed)
    circuit.measure_all()
    return circuit


def shallow_circuit(qubits: int, seed: int) -> QuantumCircuit:
    """Give a layer of random rotations and a chain of CX, without measurements: little to run, and all of its state."""
    source = random.Random(seed)
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.ry(source.uniform(0, math.pi), qubit)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    return circuit
