"""Which circuits take so little time that running some of them in one call makes nobody wait."""

from __future__ import annotations

from qiskit import QuantumCircuit

from aerjob_cli.codec.jobspec import JobSpec

# A state of so many qubits costs a gate about as much as its call does.
_QUBITS = 10
_METHODS = frozenset({"automatic", "statevector", "stabilizer", "matrix_product_state"})
# Gates times shots, as if each shot were run for itself: some hundredths of a second at the worst.
_STEPS = 50_000
# What depends on the rest of a call, or gives results of any size.
_AERS_OWN = ("save_", "set_", "quantum_channel", "kraus", "superop", "qerror_loc")


def is_small(circuit: QuantumCircuit, spec: JobSpec) -> bool:
    """Tell whether a circuit is one of gates and measurements alone, and of milliseconds."""
    if circuit.num_qubits > _QUBITS or spec.method not in _METHODS or spec.gives_state:
        return False
    if len(circuit.data) * max(spec.shots, 2**circuit.num_qubits) > _STEPS or circuit.has_control_flow_op():
        return False
    return not any(name.startswith(_AERS_OWN) for name in circuit.count_ops())
