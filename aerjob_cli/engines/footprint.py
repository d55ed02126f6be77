"""How much memory a simulation takes beyond what an executor has anyway: an estimate before it runs.

It is made of what a method keeps (``memory.needed_bytes``; a tableau and a matrix product state here), how often it
keeps that at a time, what the shots and the instructions add, and what is saved into the result. The factors were
measured with Aer 0.18; ``python -m benchmarks.memory`` measures them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from qiskit import QuantumCircuit

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.engines.bonds import bond_dimensions
from aerjob_cli.engines.memory import MEBIBYTE, machine_mb, needed_bytes, precision_of
from aerjob_cli.engines.saved_data import saved_bytes
from aerjob_cli.engines.shots import is_sampled
from aerjob_cli.engines.width import AsRun
from aerjob_cli.errors import CircuitRefused, brief
from aerjob_cli.memory import counted_bytes, in_words, largest_job_bytes
from aerjob_cli.settings import usable_cores

# Of any call, however small.
_CALL_BYTES = 13 * 2**19
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

_GIVES_WHAT_IT_HAS = frozenset(
    {"save_state", "save_statevector", "save_unitary", "save_density_matrix", "save_superop"}
)


def footprint(
    circuit: QuantumCircuit, spec: JobSpec, way: AsRun, *, threads: int, is_noisy: bool = False
) -> int | None:
    """Estimate the bytes that a circuit takes as Aer runs it.

    A matrix product state is counted at its largest. Where that is more than a job can have here, nobody can tell: a
    weakly entangled one does not come near it. Raises ``CircuitRefused`` for what no worker here would ever begin.
    """
    sampled = is_sampled(circuit, way.method, is_noisy=is_noisy)
    state = _state_bytes(circuit, spec, way)
    # Without sampling each shot has a state, and as many shots run at a time as there are threads, and states fit.
    fitting = max(1, min(spec.max_memory_mb, machine_mb()) * MEBIBYTE // max(1, state))
    copies = 1 if sampled or way.method in ("unitary", "superop") else min(threads, spec.shots, fitting)
    beside = _INSTRUCTION_BYTES * len(circuit.data) + _shot_bytes(circuit, spec, sampled) + _saved_bytes(circuit, spec)
    needed = _CALL_BYTES + copies * state + beside
    most = largest_job_bytes(machine_mb() * MEBIBYTE, slots=usable_cores())
    if counted_bytes(needed) <= most:
        return needed
    if way.method == "matrix_product_state":
        return None
    raise CircuitRefused(
        f"circuit {brief(circuit.name)} takes about {in_words(needed)} with all that its shots add, and a job on this "
        f"machine can have {in_words(most)}; use fewer qubits or shots, or the option precision=single"
    )


def largest(one: int | None, other: int | None) -> int | None:
    """Give the larger of two estimates; None where one of them is not known."""
    return None if one is None or other is None else max(one, other)


def _state_bytes(circuit: QuantumCircuit, spec: JobSpec, way: AsRun) -> int:
    if way.method == "stabilizer":
        return int(_TABLEAU_BYTES * way.qubits * way.qubits)
    if way.method == "matrix_product_state":
        return _product_bytes(bond_dimensions(circuit, at_most=_bonds_at_most(spec)))
    return needed_bytes(way.method, way.qubits, precision_of(spec)) or 0


def _product_bytes(bonds: Sequence[int]) -> int:
    # A tensor for each qubit, and all of them once more for drawing shots.
    sites = 2 * sum(2 * _COMPLEX_BYTES * left * right for left, right in pairwise((1, *bonds, 1)))
    widest = 2 * max(bonds, default=1)
    return sites + int(_DECOMPOSITION_COPIES * _COMPLEX_BYTES * widest * widest)


def _bonds_at_most(spec: JobSpec) -> int:
    return min(int(spec.options.get("matrix_product_state_max_bond_dimension") or _BONDS_COUNTED_TO), _BONDS_COUNTED_TO)


def _shot_bytes(circuit: QuantumCircuit, spec: JobSpec, sampled: bool) -> int:
    if not circuit.num_clbits:
        return 0
    outcomes = min(spec.shots, 1 << min(int(circuit.num_clbits), 62))
    each = (_SHOT_BYTES if sampled else 0) + (_MEMORY_BYTES if spec.memory else 0)
    return spec.shots * each + outcomes * _OUTCOME_BYTES


def _saved_bytes(circuit: QuantumCircuit, spec: JobSpec) -> int:
    saved = saved_bytes(circuit, spec)
    if precision_of(spec) == "double" and not _GIVES_WHAT_IT_HAS.isdisjoint(circuit.count_ops()):
        # The last state is handed over and not copied.
        saved -= needed_bytes(spec.method, circuit.num_qubits) or 0
    return max(0, saved)
