"""What a circuit saves, and which quantum errors are in it: what decides how many go into one call of Aer."""

from __future__ import annotations

from collections.abc import Iterator

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Operation

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.engines.memory import needed_bytes

_ERROR = "quantum_channel"
_SAVE = "save_"
_METHOD_OF = {
    "save_statevector": "statevector",
    "save_statevector_dict": "statevector",
    "save_probabilities": "statevector",
    "save_probabilities_dict": "statevector",
    "save_density_matrix": "density_matrix",
    "save_unitary": "unitary",
    "save_superop": "superop",
}
_SMALL_BYTES = 1024  # a number, some amplitudes, a tableau
_UNKNOWN_BYTES = 2**20  # of a matrix product state; what it has depends on the circuit
_PER_SHOT = ("list", "c_list")


def has_quantum_errors(circuit: QuantumCircuit) -> bool:
    """Tell whether a quantum error of Aer's stands in the circuit, also in the bodies of its control flow."""
    return any(instruction.name == _ERROR for instruction in _special(circuit))


def saved_bytes(circuit: QuantumCircuit, spec: JobSpec) -> int:
    """Estimate the size of all that the circuit saves into its result."""
    return sum(
        _bytes_of(instruction.operation, circuit, spec)
        for instruction in _special(circuit)
        if instruction.name.startswith(_SAVE)
    )


def _bytes_of(operation: Operation, circuit: QuantumCircuit, spec: JobSpec) -> int:
    name = operation.name
    if name == "save_state":
        needed = needed_bytes(spec.method, circuit.num_qubits)
        size = _UNKNOWN_BYTES if needed is None else needed
    elif name == "save_matrix_product_state":
        size = _UNKNOWN_BYTES
    else:
        size = needed_bytes(_METHOD_OF.get(name, ""), operation.num_qubits) or _SMALL_BYTES
    return size * spec.shots if operation._subtype in _PER_SHOT else size


def _special(circuit: QuantumCircuit) -> Iterator[CircuitInstruction]:
    """Give the instructions that are not gates; most circuits have none but measurements, which is soon told."""
    names = circuit.count_ops()
    has_blocks = circuit.has_control_flow_op()
    if not has_blocks and _ERROR not in names and not any(name.startswith(_SAVE) for name in names):
        return
    for instruction in circuit.data:
        if instruction.name == _ERROR or instruction.name.startswith(_SAVE):
            yield instruction
        elif has_blocks and instruction.is_control_flow():
            for block in instruction.operation.blocks:
                yield from _special(block)
