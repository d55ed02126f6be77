"""Programs for the tests of engines."""

from __future__ import annotations

from qiskit import QuantumCircuit

from aerjob_cli.codec.program import Program


def program(*circuits: QuantumCircuit) -> Program:
    """Make the program of a job with these circuits."""
    return Program(circuits)
