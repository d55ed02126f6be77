"""Making a circuit runnable: left as it is where Aer can run it, else translated to gates that Aer has.

The translation is a function of the circuit and the level alone, so that a resumed job runs what its first
attempt ran. It is against a target without a number of qubits: that of ``AerSimulator()`` refuses more than
about 30 qubits, also where the method could run them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, ControlledGate, Gate, Instruction, Operation
from qiskit.exceptions import QiskitError
from qiskit.transpiler import PassManager, Target
from qiskit.transpiler.preset_passmanagers import generate_preset_pass_manager
from qiskit_aer import AerSimulator
from qiskit_aer.backends.name_mapping import NAME_MAPPING

from aerjob_cli.errors import CircuitRefused

_SEED_TRANSPILER = 0
# Aer's compiler leaves these out or takes them apart itself, whatever the method's list of gates says.
_ALWAYS_NATIVE = frozenset({"measure", "barrier", "delay", "reset"})
_OPEN_CONTROL = "_o"  # Qiskit's mark of controls on zero, as in "cx_o0"; Aer puts X gates around


@lru_cache
def native_names(method: str) -> frozenset[str]:
    """List the instructions that Aer's ``method`` runs by name."""
    return frozenset(AerSimulator(method=method).configuration().basis_gates) | _ALWAYS_NATIVE


@lru_cache
def pass_manager(method: str, level: int) -> PassManager:
    """Build the translation for a method and an optimization level from 0 to 3."""
    basis = AerSimulator(method=method).configuration().basis_gates
    target = Target.from_configuration(
        list(dict.fromkeys([*basis, "measure"])), num_qubits=None, custom_name_mapping=NAME_MAPPING
    )
    return generate_preset_pass_manager(level, target=target, seed_transpiler=_SEED_TRANSPILER)


def runnable(circuit: QuantumCircuit, method: str, level: int) -> QuantumCircuit:
    """Give ``circuit`` itself, or a translation with its name, metadata and registers.

    Raises ``CircuitRefused`` where no translation exists.
    """
    native = native_names(method)
    try:
        shadows = _Shadows(native)
        if any(shadows.are_in(instruction) for instruction in circuit.data):
            circuit = _unfolded(circuit)
        if _is_native(circuit, native):
            return circuit
        return pass_manager(method, level).run(circuit)
    except (QiskitError, RecursionError, ValueError, TypeError) as error:
        fact = getattr(error, "message", None) or str(error)
        raise CircuitRefused(
            f"circuit {circuit.name!r} cannot be translated to the gates of {method!r}: "
            f"{' '.join(fact.split()).rstrip('.')}; define its gates by standard ones"
        ) from error


def _is_native(circuit: QuantumCircuit, native: frozenset[str]) -> bool:
    for instruction in circuit.data:
        name = instruction.name
        if name not in native and name.split(_OPEN_CONTROL, 1)[0] not in native:
            return False
        if instruction.is_control_flow() and not all(
            _is_native(block, native) for block in instruction.operation.blocks
        ):
            return False
    return True


def _is_users_own(operation: Operation) -> bool:
    """Tell whether a gate is what its definition says, and not one of Qiskit's or Aer's by class."""
    # Gates from QPY or ``to_gate`` are of these very classes; those that a text defines are of the parser's.
    kind = type(operation)
    return kind in (Gate, Instruction, ControlledGate) or kind.__module__ == "qiskit.qasm2.parse"


def _blocks(instruction: CircuitInstruction) -> Iterator[QuantumCircuit]:
    if instruction.is_control_flow():
        yield from instruction.operation.blocks


class _Shadows:
    """Finds gates of the user's named like one of Aer's: Aer and the transpiler go by the name alone."""

    def __init__(self, native: frozenset[str]) -> None:
        self._native = native
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
