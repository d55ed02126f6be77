"""Circuits to and from tagged bytes.

Bytes that a user brought must only be decoded where a crash of the parser harms nobody: in an executor.
Qiskit is imported by the readers, when they are called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from aerjob_cli.codec import circuit_bundle, envelope, openqasm2, openqasm3, quantum_payload
from aerjob_cli.codec.program_text import REGISTER_LIMIT, too_large
from aerjob_cli.errors import CircuitRefused, brief
from aerjob_cli.settings import OPERATIONS_LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qiskit import QuantumCircuit


def decode_circuits(format: str, data: bytes, name: str) -> list[QuantumCircuit]:
    """Read the circuits in ``data``, at least one, each with at least one qubit.

    ``name`` says in messages where the bytes came from (a file's name); a circuit from text is called by
    its stem.
    Raises ``CircuitRefused`` for every way in which the bytes can be bad.
    """
    if format == envelope.OPENQASM2:
        circuits = [openqasm2.read(data, name)]
    elif format == envelope.QPY:
        circuits = quantum_payload.read(data, name)
    elif format == envelope.OPENQASM3:
        circuits = [openqasm3.read(data, name)]
    elif format == envelope.CIRCUIT_BUNDLE:
        circuits, _ = circuit_bundle.read(data, name)
    else:
        known = ", ".join(sorted(envelope.CIRCUIT_FORMATS))
        raise CircuitRefused(f"{name} has the format {format!r}, which is not known; there is {known}")
    if not circuits:
        raise CircuitRefused(f"{name} holds no circuit; write at least one into it")
    for circuit in circuits:
        if circuit.num_qubits == 0:
            raise CircuitRefused(
                f"circuit {brief(circuit.name)} of {name} has no qubits, so that nothing can run; declare some"
            )
        if (bits := circuit.num_qubits + circuit.num_clbits) > REGISTER_LIMIT:
            # Of several registers, or of a format that makes them cheaply.
            raise CircuitRefused(f"circuit {brief(circuit.name)} of {name} has {bits} bits{too_large('bits')}")
    if sum(map(operations_of, circuits)) > OPERATIONS_LIMIT:
        raise CircuitRefused(
            f"{name} has more than {OPERATIONS_LIMIT} operations, the limit of one file; split it, or use loops"
        )
    return circuits


def operations_of(circuit: QuantumCircuit) -> int:
    """Count the operations of a circuit, those in the bodies of its control flow included."""
    count = len(circuit.data)
    if circuit.has_control_flow_op():
        for instruction in circuit.data:
            if instruction.is_control_flow():
                count += sum(map(operations_of, instruction.operation.blocks))
    return count


def preload_readers() -> None:
    """Import what reading circuits needs, so that no job has to; starts no thread and parses nothing of anybody's."""
    import_module("qiskit.qasm2")
    import_module("qiskit.qpy")
    openqasm3.preload()


def encode_circuits(circuits: Sequence[QuantumCircuit]) -> tuple[str, bytes]:
    """Write circuits, and give the format and the bytes: QPY where that keeps them, else a bundle.

    Raises ``CircuitRefused`` for what would not come back as it was.
    """
    for circuit in circuits:
        quantum_payload.check_metadata(circuit)
    return circuit_bundle.encode(circuits)
