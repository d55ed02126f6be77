"""Runs circuits on MQT DDSIM, whose states are decision diagrams; its library comes with the extra ``ddsim``.

A circuit that only measures at its end is simulated once, up to there, and its shots are drawn from the state. Any
other one is simulated for each shot. What the library gets is a copy of ours, since it loses bits that are in no
register or in two, and takes the layout of a transpiled circuit for a wish to have its outcomes in another order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from mqt import ddsim
from mqt.core import load
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import CircuitInstruction, Clbit, IfElseOp
from qiskit.quantum_info import Statevector
from qiskit.result.models import ExperimentResult

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.engines.experiment_results import experiment_result
from aerjob_cli.engines.memory import fits_job, needed_bytes, why_not
from aerjob_cli.engines.one_by_one import OneByOneEngine
from aerjob_cli.engines.translation import GateSet
from aerjob_cli.errors import CircuitRefused, brief
from aerjob_cli.memory import in_words
from aerjob_cli.plugins.ddsim import SIMULATOR

_GATES = (
    *("id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg"),
    *("p", "r", "rx", "ry", "rz", "u", "u1", "u2", "u3"),
    *("cx", "cy", "cz", "ch", "cs", "csdg", "csx", "cp", "crx", "cry", "crz", "cu1", "cu3", "ccx", "cswap"),
    *("swap", "iswap", "dcx", "ecr", "rxx", "ryy", "rzz", "rzx", "xx_minus_yy", "xx_plus_yy", "rccx"),
    *("mcx", "mcphase", "reset", "if_else"),
)
_NO_GATES = frozenset({"measure", "reset", "if_else"})
# It reads seeds as 64 bits with a sign, and draws one itself for −1.
_SEEDS = 2**63
_STATES_AT_ONCE = 2  # the library's vector, and the copy that goes into the result


class DdsimEngine(OneByOneEngine):
    """The engine of MQT DDSIM."""

    @property
    def version(self) -> str:
        return f"mqt-ddsim {ddsim.__version__}"

    def gates(self, method: str) -> GateSet:
        return GateSet.of_standard_gates(SIMULATOR.name, _GATES, remedy="leave it out, or use qasm_simulator")

    def check_circuit(self, circuit: QuantumCircuit, spec: JobSpec) -> None:
        subject = f"circuit {brief(circuit.name)}"
        for branch in (instruction for instruction in circuit.data if instruction.name == "if_else"):
            _check_condition(circuit, branch, subject)
            inner = {item.name for block in branch.operation.blocks for item in block.data} & _NO_GATES
            if inner:
                raise CircuitRefused(
                    f"{subject} has {brief(min(inner))} inside of 'if_else', which {spec.backend} cannot run; "
                    "move it out, or use qasm_simulator"
                )
        if _width(circuit) > (SIMULATOR.max_qubits or 0):
            raise CircuitRefused(
                f"{subject} has {circuit.num_clbits} classical bits and measures before its end, and {spec.backend} "
                f"then takes fewer than {SIMULATOR.max_qubits}; use fewer, or qasm_simulator"
            )
        if spec.gives_state:
            _check_state(circuit, spec, subject)

    def run_circuit(self, circuit: QuantumCircuit, spec: JobSpec, seed: int) -> ExperimentResult:
        if not _measures_at_end(circuit):
            outcomes = _simulator(_as_registers(circuit), spec, seed).simulate(spec.shots)
            return experiment_result(circuit, spec, seed, counts={int(bits, 2): n for bits, n in outcomes.items()})
        simulator = _simulator(_without_measurements(circuit), spec, seed)
        outcomes = simulator.simulate(0 if spec.gives_state else spec.shots)
        if not spec.gives_state:
            return experiment_result(circuit, spec, seed, counts=_measured(circuit, outcomes))
        vector = np.array(simulator.get_constructed_dd().get_vector()) * np.exp(1j * float(circuit.global_phase))
        return experiment_result(circuit, spec, seed, statevector=Statevector(vector))


def _simulator(circuit: QuantumCircuit, spec: JobSpec, seed: int) -> ddsim.CircuitSimulator:
    options = {name: value for name, value in spec.options.items() if name in SIMULATOR.options}
    return ddsim.CircuitSimulator(load(circuit), seed=seed % _SEEDS, **options)


def _check_condition(circuit: QuantumCircuit, branch: CircuitInstruction, subject: str) -> None:
    condition = branch.operation.condition
    if not isinstance(condition, tuple):
        fact = "a condition that is an expression"
    elif not isinstance(condition[0], Clbit) and not _has_plain_registers(circuit):
        fact = "a condition on one of registers that share bits or are out of order"
    else:
        return
    raise CircuitRefused(
        f"{subject} has 'if_else' with {fact}, which {SIMULATOR.name} cannot run; "
        "compare a bit or a register with a number, or use qasm_simulator"
    )


def _check_state(circuit: QuantumCircuit, spec: JobSpec, subject: str) -> None:
    if any(instruction.name in _NO_GATES for instruction in circuit.data):
        raise CircuitRefused(
            f"{subject} measures, resets or decides, and {spec.backend} gives the state of gates alone; "
            "leave that out, or leave out save_state (--save-state)"
        )
    needed = _STATES_AT_ONCE * (needed_bytes("statevector", circuit.num_qubits) or 0)
    if not fits_job(needed, spec):
        raise CircuitRefused(
            f"{subject} needs {in_words(needed)} for its statevector of {circuit.num_qubits} qubits; "
            f"{why_not(needed, spec)}"
        )


def _measures_at_end(circuit: QuantumCircuit) -> bool:
    """Tell whether nothing but other measurements comes after any measurement, so that shots differ in these alone."""
    measured = set()
    for instruction in circuit.data:
        if instruction.name in ("reset", "if_else"):
            return False
        if instruction.name == "measure":
            measured.add(instruction.qubits[0])
        elif instruction.name != "barrier" and not measured.isdisjoint(instruction.qubits):
            return False
    return True


def _without_measurements(circuit: QuantumCircuit) -> QuantumCircuit:
    flat = QuantumCircuit(QuantumRegister(circuit.num_qubits, "q"))
    places = dict(zip(circuit.qubits, flat.qubits, strict=True))
    for instruction in circuit.data:
        if instruction.name not in ("measure", "barrier"):
            flat.append(instruction.operation, [places[qubit] for qubit in instruction.qubits], copy=False)
    return flat


def _measured(circuit: QuantumCircuit, outcomes: Mapping[str, int]) -> Counter[int]:
    """Turn outcomes of all qubits, the last qubit first, into values of the classical bits."""
    qubits = {qubit: place for place, qubit in enumerate(circuit.qubits)}
    clbits = {clbit: place for place, clbit in enumerate(circuit.clbits)}
    source = {
        clbits[instruction.clbits[0]]: qubits[instruction.qubits[0]]
        for instruction in circuit.data
        if instruction.name == "measure"
    }
    counts: Counter[int] = Counter()
    for bits, number in outcomes.items():
        counts[sum(1 << clbit for clbit, qubit in source.items() if bits[-1 - qubit] == "1")] += number
    return counts


def _has_plain_registers(circuit: QuantumCircuit) -> bool:
    """Tell whether each classical bit is in one register, in the order of the circuit's bits."""
    in_registers = [bit for register in circuit.cregs for bit in register]
    return in_registers == list(circuit.clbits)


def _width(circuit: QuantumCircuit) -> int:
    """Count the qubits that the library is given: no fewer than it needs to find a place for each classical bit."""
    qubits, clbits = len(circuit.qubits), len(circuit.clbits)
    return qubits if _measures_at_end(circuit) else max(qubits, clbits + 1)


def _as_registers(circuit: QuantumCircuit) -> QuantumCircuit:
    """Copy a circuit into one quantum register and plain classical ones."""
    cregs = circuit.cregs if _has_plain_registers(circuit) else [ClassicalRegister(circuit.num_clbits)]
    renamed = [ClassicalRegister(register.size, f"c{place}") for place, register in enumerate(cregs)]
    flat = QuantumCircuit(QuantumRegister(_width(circuit), "q"), *renamed)
    bits = dict(zip(circuit.qubits, flat.qubits, strict=False)) | dict(zip(circuit.clbits, flat.clbits, strict=True))
    registers = dict(zip(cregs, renamed, strict=True))
    for instruction in circuit.data:
        operation = instruction.operation
        if isinstance(operation, IfElseOp):
            subject, value = operation.condition
            place = bits[subject] if isinstance(subject, Clbit) else registers[subject]
            operation = IfElseOp((place, value), *operation.blocks)
        qubits = [bits[qubit] for qubit in instruction.qubits]
        flat.append(operation, qubits, [bits[clbit] for clbit in instruction.clbits], copy=False)
    return flat
