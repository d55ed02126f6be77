"""Making a circuit runnable: left as it is where the simulator can run it, else translated to gates that it has.

The translation is a function of the circuit and the level alone, so that a resumed job runs what its first
attempt ran.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from qiskit import QuantumCircuit
from qiskit.circuit import Barrier, CircuitInstruction, ControlledGate, Gate, Instruction, Operation
from qiskit.circuit.controlflow import get_control_flow_name_mapping
from qiskit.circuit.library import MCPhaseGate, MCXGate
from qiskit.exceptions import QiskitError
from qiskit.transpiler import PassManager, Target
from qiskit.transpiler.preset_passmanagers import generate_preset_pass_manager

from aerjob_cli.errors import CircuitRefused, brief

_SEED_TRANSPILER = 0
_OPEN_CONTROL = "_o"  # Qiskit's mark of controls on zero, as in "cx_o0"
# Not in Qiskit's list of names: gates with any number of controls, and control flow.
_OTHER_INSTRUCTIONS: dict[str, type] = {
    "barrier": Barrier,
    "mcphase": MCPhaseGate,
    "mcx": MCXGate,
    **get_control_flow_name_mapping(),
}
_UNTRANSLATABLE = (QiskitError, RecursionError, ValueError, TypeError)


@dataclass(frozen=True, eq=False)
class GateSet:
    """What a simulator runs by name, and the target of a translation to it, without a number of qubits.

    ``label`` says in messages whose gates they are, ``remedy`` what to do about a gate that is none of them.
    """

    label: str
    remedy: str
    names: frozenset[str]
    target: Target
    # Whether controls on zero are taken care of, as Aer does by X gates around.
    has_open_controls: bool
    # The pairs of qubits, by their indices, that a gate can act on; None where that is any.
    pairs: frozenset[tuple[int, int]] | None = None

    @classmethod
    @lru_cache  # what is equal is to be the same, since translations are kept for each
    def of_standard_gates(
        cls, label: str, names: tuple[str, ...], *, remedy: str = "leave it out, or use another simulator"
    ) -> GateSet:
        """Make the set of gates that Qiskit knows by these names; raises ``KeyError`` for any other name."""
        listed = list(dict.fromkeys((*names, "measure", "barrier")))
        target = Target.from_configuration(listed, num_qubits=None, custom_name_mapping=_OTHER_INSTRUCTIONS)
        return cls(label=label, remedy=remedy, names=frozenset(listed), target=target, has_open_controls=False)

    def has(self, name: str) -> bool:
        """Tell whether an instruction of that name is run as it is."""
        return name in self.names or (self.has_open_controls and name.split(_OPEN_CONTROL, 1)[0] in self.names)


@lru_cache
def pass_manager(gates: GateSet, level: int) -> PassManager:
    """Build the translation to a set of gates at an optimization level from 0 to 3."""
    return generate_preset_pass_manager(level, target=gates.target, seed_transpiler=_SEED_TRANSPILER)


def runnable(circuit: QuantumCircuit, gates: GateSet, level: int, *, may_translate: bool = True) -> QuantumCircuit:
    """Give ``circuit`` itself, or a translation with its name, metadata and registers.

    Raises ``CircuitRefused`` where no translation exists or none is allowed.
    """
    if not may_translate:
        _require_native(circuit, gates)
        return circuit
    try:
        return _translated(circuit, gates, level)
    except _UNTRANSLATABLE as error:
        raise refusal(circuit, gates, lambda part: _is_translatable(part, gates, level)) from error


def refusal(circuit: QuantumCircuit, gates: GateSet, can_run: Callable[[QuantumCircuit], bool]) -> CircuitRefused:
    """Word that a circuit cannot be run, by the name of the first instruction that alone cannot be run either."""
    culprit = _culprit(circuit, gates, can_run)
    fact = "is something as a whole" if culprit is None else f"contains {brief(culprit)}"
    return CircuitRefused(f"circuit {brief(circuit.name)} {fact}, which {gates.label} cannot run; {gates.remedy}")


def _translated(circuit: QuantumCircuit, gates: GateSet, level: int) -> QuantumCircuit:
    shadows = _Shadows(gates)
    if any(shadows.are_in(instruction) for instruction in circuit.data):
        circuit = _unfolded(circuit)
    if _first_foreign(circuit, gates) is None and _first_uncoupled(circuit, gates) is None:
        return circuit
    return pass_manager(gates, level).run(circuit)


def _is_translatable(circuit: QuantumCircuit, gates: GateSet, level: int) -> bool:
    try:
        _translated(circuit, gates, level)
    except _UNTRANSLATABLE:
        return False
    return True


def _require_native(circuit: QuantumCircuit, gates: GateSet) -> None:
    shadows = _Shadows(gates)
    shadow = next((item.name for item in circuit.data if shadows.are_in(item)), None)
    foreign = shadow or _first_foreign(circuit, gates) or _first_uncoupled(circuit, gates)
    if foreign is not None:
        raise CircuitRefused(
            f"circuit {brief(circuit.name)} contains {brief(foreign)}, which {gates.label} does not run as it is; "
            "have it translated (leave out --no-transpile, or transpile=False), or transpile it yourself"
        )


def _first_foreign(circuit: QuantumCircuit, gates: GateSet) -> str | None:
    """Name the first instruction that is not run as it is, also in the bodies of control flow."""
    if not circuit.has_control_flow_op() and all(map(gates.has, circuit.count_ops())):
        return None
    for instruction in circuit.data:
        if not gates.has(instruction.name):
            return str(instruction.name)
        for block in _blocks(instruction):
            inner = _first_foreign(block, gates)
            if inner is not None:
                return inner
    return None


def _first_uncoupled(circuit: QuantumCircuit, gates: GateSet) -> str | None:
    """Name the first gate that acts on qubits which the device does not couple."""
    if gates.pairs is None:
        return None
    for instruction in circuit.data:
        qubits = instruction.qubits
        is_gate = isinstance(instruction.operation, Gate) or instruction.is_control_flow()
        if len(qubits) < 2 or not is_gate:
            continue
        places = tuple(circuit.find_bit(qubit).index for qubit in qubits)
        if instruction.is_control_flow() or places not in gates.pairs:
            # What a body does with its qubits is the translation's to find out.
            return str(instruction.name)
    return None


def _culprit(circuit: QuantumCircuit, gates: GateSet, can_run: Callable[[QuantumCircuit], bool]) -> str | None:
    fine: set[tuple[str, str]] = set()
    for instruction in circuit.data:
        for block in _blocks(instruction):
            inner = _culprit(block, gates, can_run)
            if inner is not None:
                return inner
        key = (str(instruction.name), str(instruction.params))
        if key in fine:
            continue
        alone = circuit.copy_empty_like()
        alone.append(instruction, copy=False)
        if not can_run(alone):
            return str(instruction.name)
        fine.add(key)
    return None


def _is_users_own(operation: Operation) -> bool:
    """Tell whether a gate is what its definition says, and not one of Qiskit's or the simulator's by class."""
    # Gates from QPY, OpenQASM 3 or ``to_gate`` are of these very classes; those of OpenQASM 2 of its parser's.
    kind = type(operation)
    return kind in (Gate, Instruction, ControlledGate) or kind.__module__ == "qiskit.qasm2.parse"


def _blocks(instruction: CircuitInstruction) -> Iterator[QuantumCircuit]:
    if instruction.is_control_flow():
        yield from instruction.operation.blocks


class _Shadows:
    """Finds gates of the user's named like one of the simulator's: it and the transpiler go by the name alone."""

    def __init__(self, gates: GateSet) -> None:
        self._native = gates.names
        self._seen: set[str] = set()

    def are_in(self, instruction: CircuitInstruction) -> bool:
        if instruction.is_standard_gate():
            return False
        if any(self.are_in(inner) for block in _blocks(instruction) for inner in block.data):
            return True
        operation = instruction.operation
        if not _is_users_own(operation) or operation.name in self._seen:
            return False
        self._seen.add(operation.name)
        definition = operation.definition
        if definition is None:
            return False
        stem = operation.name.split(_OPEN_CONTROL, 1)[0]
        if operation.name in self._native or stem in self._native:
            return True
        return any(self.are_in(inner) for inner in definition.data)


def _unfolded(circuit: QuantumCircuit) -> QuantumCircuit:
    """Replace each gate of the user's by its definition, until none is left."""
    flat = circuit.copy_empty_like()
    for instruction in circuit.data:
        _append_unfolded(flat, instruction)
    return flat


def _append_unfolded(flat: QuantumCircuit, instruction: CircuitInstruction) -> None:
    operation = instruction.operation
    if instruction.is_control_flow():
        blocks = [_unfolded(block) for block in operation.blocks]
        flat.append(instruction.replace(operation=operation.replace_blocks(blocks)), copy=False)
    elif _is_users_own(operation) and operation.definition is not None:
        definition = operation.definition
        places = dict(zip(definition.qubits, instruction.qubits, strict=True))
        places |= dict(zip(definition.clbits, instruction.clbits, strict=True))
        flat.global_phase += definition.global_phase
        for inner in definition.data:
            moved = inner.replace(
                qubits=[places[bit] for bit in inner.qubits], clbits=[places[bit] for bit in inner.clbits]
            )
            _append_unfolded(flat, moved)
    else:
        flat.append(instruction, copy=False)
