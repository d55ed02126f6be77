"""How long a simulation will take, to an order of magnitude: what decides whether one waits for it.

Measured with Aer 0.18 on one core of 2020; another machine is some times slower or quicker, which an order of magnitude
bears.
"""

from __future__ import annotations

from qiskit import QuantumCircuit

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.engines.bonds import bond_dimensions
from aerjob_cli.engines.shots import is_sampled
from aerjob_cli.engines.width import AsRun

_CALL_S = 0.001
_INSTRUCTION_S = 2e-5
_SHOT_S = 1e-6
_AMPLITUDE_S = 2e-9  # of each instruction on each number
_TABLEAU_S = 2e-10  # of each measurement in each shot, on each pair of qubits
_BOND_S = 2e-9  # of each gate on two qubits, on each element of the matrices that are multiplied and decomposed
_EXPONENTS = {"statevector": 1, "density_matrix": 2, "unitary": 2, "superop": 4}
_BONDS_COUNTED_TO = 2**20


def seconds_of(circuit: QuantumCircuit, spec: JobSpec, way: AsRun, *, threads: int, is_noisy: bool) -> float | None:
    """Estimate the seconds that a circuit takes as Aer runs it; None for a method of which nobody can tell."""
    instructions = len(circuit.data)
    work_s: float
    times = 1 if is_sampled(circuit, way.method, is_noisy=is_noisy) else spec.shots
    if way.method == "stabilizer":
        measured = spec.shots * int(circuit.count_ops().get("measure", 0))
        work_s = (instructions * times + measured * way.qubits) * way.qubits * _TABLEAU_S
    elif way.method == "matrix_product_state":
        bonds = bond_dimensions(circuit, at_most=_BONDS_COUNTED_TO)
        pairs = sum(len(instruction.qubits) > 1 for instruction in circuit.data)
        work_s = times * pairs * float(max(bonds, default=1)) ** 3 * _BOND_S
    elif way.method not in _EXPONENTS:
        return None
    else:
        numbers = 2.0 ** (_EXPONENTS[way.method] * way.qubits)
        work_s = times * instructions * numbers * _AMPLITUDE_S / threads
    return _CALL_S + instructions * _INSTRUCTION_S + spec.shots * _SHOT_S + work_s
