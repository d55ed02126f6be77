"""Circuits as OpenQASM 2 texts, made without Qiskit."""

from __future__ import annotations

import random

BELL = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg c[2];
h q[0];
cx q[0],q[1];
measure q -> c;
"""


def layers(qubits: int, depth: int, *, seed: int = 1) -> str:
    """Write a circuit of random rotations and a brick wall of CNOTs: nothing that Aer could shorten."""
    random_source = random.Random(seed)

    def angle() -> str:
        return f"{random_source.uniform(0, 3):.6f}"

    lines = ["OPENQASM 2.0;", 'include "qelib1.inc";', f"qreg q[{qubits}];", f"creg c[{qubits}];"]
    for layer in range(depth):
        lines += [f"u3({angle()},{angle()},{angle()}) q[{qubit}];" for qubit in range(qubits)]
        lines += [f"cx q[{qubit}],q[{qubit + 1}];" for qubit in range(layer % 2, qubits - 1, 2)]
    return "\n".join([*lines, "measure q -> c;", ""])


# Minutes of work, of which a test sees the first second.
ENDLESS = layers(24, 400)
# As endless, of one qubit: a measurement of zero is always zero.
ENDLESS_AND_SMALL = """OPENQASM 3.0;
include "stdgates.inc";
qubit q;
bit c;
c = measure q;
while (!c) { c = measure q; }
"""
# Seconds of work.
SECONDS_LONG = layers(20, 50)
