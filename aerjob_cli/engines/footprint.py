"""How much memory a simulation takes beyond what an executor has anyway: an estimate before it runs.

It is made of what a method keeps (``memory.needed_bytes``; a tableau and a matrix product state here), how often it
keeps that at a time, what the shots and the instructions add, and what is saved into the result. The factors were
measured with Aer 0.17; ``python -m benchmarks.memory`` measures them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from qiskit import QuantumCircuit

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.engines.bonds import bond_dimensions
from aerjob_cli.engines.memory import needed_bytes
from aerjob_cli.engines.saved_data import saved_bytes
from aerjob_cli.engines.shots import is_sampled

# Of any call, however small.
_CALL_BYTES = 4 * 2**20
# Aer has each instruction twice, as Python gives it and as it runs it.
_INSTRUCTION_BYTES = 1900
# A sampled outcome before outcomes are counted, each different one in the counts, and as a text in the memory.
_SHOT_BYTES, _OUTCOME_BYTES, _MEMORY_BYTES = 115, 80, 30
# Instead of what Aer announces, of a tableau it keeps two bits for each pair of qubits, and copies.
_TABLEAU_BYTES = 1.25
_COMPLEX_BYTES = 16
# A bond is cut by a decomposition of a matrix of twice its dimension, which is there about twice then.
_DECOMPOSITION_COPIES = 2.2
_BONDS_COUNTED_TO = 2**20

_KEEPS_ALL = frozenset({"statevector", "density_matrix", "unitary", "superop"})
_GIVES_WHAT_IT_HAS = frozenset({"save_state", "save_statevector", "save_unitary", "save_density_matrix", "save_superop"})


def footprint(
    circuit: QuantumCircuit, spec: JobSpec, *, method: str, qubits: int, threads: int, is_noisy: bool = False
) -> int:
    """Estimate the bytes that a circuit takes as Aer runs it, by ``method`` and on ``qubits`` of its qubits.

    A matrix product state is counted at its largest, which a weakly entangled one does not come near.
    """
    sampled = is_sampled(circuit, method, is_noisy=is_noisy)
    state = _state_bytes(circuit, spec, method, qubits)
    # Without sampling each shot has a state, and as many shots run at a time as there are threads.
    copies = 1 if sampled or method in ("unitary", "superop") else min(threads, spec.shots)
    instructions = _INSTRUCTION_BYTES * len(circuit.data)
    return _CALL_BYTES + copies * state + instructions + _shot_bytes(circuit, spec, sampled) + _saved_bytes(circuit, spec)


def _state_bytes(circuit: QuantumCircuit, spec: JobSpec, method: str, qubits: int) -> int:
    if method == "stabilizer":
        return int(_TABLEAU_BYTES * qubits * qubits)
    if method == "matrix_product_state":
        return _product_bytes(bond_dimensions(circuit, at_most=_bonds_at_most(spec)))
    return needed_bytes(method, qubits, precision_of(spec)) or 0


def _product_bytes(bonds: Sequence[int]) -> int:
    sites = sum(2 * _COMPLEX_BYTES * left * right for left, right in pairwise((1, *bonds, 1)))
    widest = 2 * max(bonds, default=1)
    return sites + int(_DECOMPOSITION_COPIES * _COMPLEX_BYTES * widest * widest)


def _bonds_at_most(spec: JobSpec) -> int:
    return min(int(spec.options.get("matrix_product_state_max_bond_dimension") or _BONDS_COUNTED_TO), _BONDS_COUNTED_TO)


def _shot_bytes(circuit: QuantumCircuit, spec: JobSpec, sampled: bool) -> int:
    if not circuit.num_clbits:
        return 0
    outcomes = min(spec.shots, 2 ** min(circuit.num_clbits, 62))
    each = (_SHOT_BYTES if sampled else 0) + (_MEMORY_BYTES if spec.memory else 0)
    return spec.shots * each + outcomes * _OUTCOME_BYTES


def _saved_bytes(circuit: QuantumCircuit, spec: JobSpec) -> int:
    names = _GIVES_WHAT_IT_HAS.intersection(circuit.count_ops())
    if names and precision_of(spec) == "double":
        # The last state is handed over and not copied.
        return max(0, saved_bytes(circuit, spec) - max(needed_bytes(spec.method, circuit.num_qubits) or 0, 0))
    return saved_bytes(circuit, spec)


def precision_of(spec: JobSpec) -> str:
    """Name the precision that a job asks for."""
    return str(spec.options.get("precision", "double"))
