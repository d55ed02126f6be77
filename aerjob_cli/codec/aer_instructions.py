"""Instructions that QPY does not give back as they were: Aer's own, and those that hold quantum channels.

QPY makes a plain ``Instruction`` of each of them, which Aer then cannot run. So they are taken out, a placeholder is
left where they stood, and a table beside the QPY says what they were: their class from a closed list, their fields,
their arrays. The table follows the circuit into the bodies of control flow and the definitions of instructions:

    {"3": {"class": "SaveStatevector", …}, "5": {"blocks": {"0": {…}}}, "8": {"definition": {…}}}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from aerjob_cli.codec import quantum_errors
from aerjob_cli.errors import CircuitRefused, brief

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Operation

Table = dict[str, Any]

_LIBRARY = "qiskit_aer.library"
SAVES = frozenset(
    {
        "SaveAmplitudes",
        "SaveAmplitudesSquared",
        "SaveClifford",
        "SaveDensityMatrix",
        "SaveExpectationValue",
        "SaveExpectationValueVariance",
        "SaveMatrixProductState",
        "SaveProbabilities",
        "SaveProbabilitiesDict",
        "SaveStabilizer",
        "SaveState",
        "SaveStatevector",
        "SaveStatevectorDict",
        "SaveSuperOp",
        "SaveUnitary",
    }
)
SETS = frozenset(
    {
        "SetDensityMatrix",
        "SetMatrixProductState",
        "SetStabilizer",
        "SetStatevector",
        "SetSuperOp",
        "SetUnitary",
    }
)
# Of Qiskit's class ``Instruction``, known by their names to it and to Aer.
_CHANNELS = frozenset({"kraus", "superop", "roerror"})
_CHANNEL = "Instruction"
_ERROR = "QuantumChannelInstruction"


def take_out(circuits: Sequence[QuantumCircuit]) -> tuple[list[QuantumCircuit], list[Table]]:
    """Give the circuits with placeholders, and a table for each; those without such instructions are not copied.

    The circuits of quantum errors are added behind them, with their own tables. Raises ``CircuitRefused`` for an
    instruction of Aer's that is not on the list.
    """
    taking = _Taking(list(circuits))
    tables: list[Table] = []
    while len(tables) < len(taking.circuits):
        position = len(tables)
        taking.circuits[position], table = taking.out_of(taking.circuits[position])
        tables.append(table)
    return taking.circuits, tables


def put_back(circuits: Sequence[QuantumCircuit], tables: Sequence[Table]) -> list[QuantumCircuit]:
    """Give the circuits with the instructions where their placeholders are.

    Raises ``LookupError``, ``TypeError`` or ``ValueError`` for tables that do not fit.
    """
    whole = list(circuits)
    # Those of quantum errors come behind the circuits that they stand in.
    for position, table in reversed(list(enumerate(tables))):
        whole[position] = _restored(whole[position], table, whole)
    return whole


@dataclass
class _Taking:
    """What is taken out of all circuits of one file: those of quantum errors are added to ``circuits``."""

    circuits: list[QuantumCircuit]
    placeholders: int = 0

    def out_of(self, circuit: QuantumCircuit) -> tuple[QuantumCircuit, Table]:
        table: Table = {}
        replaced: dict[int, Operation] = {}
        for position, instruction in enumerate(circuit.data):
            if instruction.is_standard_gate():
                continue
            operation = instruction.operation
            entry = _described(operation, circuit, self.circuits)
            if entry is not None:
                replaced[position] = self._placeholder(operation)
            else:
                entry, other = self._inside(operation)
                if not entry:
                    continue
                replaced[position] = other
            table[str(position)] = entry
        return (_with(circuit, replaced) if table else circuit), table

    def _inside(self, operation: Operation) -> tuple[Table, Operation]:
        """Look into the bodies of control flow and the definition of an instruction; give a copy if some was found."""
        blocks = getattr(operation, "blocks", None)
        if blocks is not None:
            pairs = [self.out_of(block) for block in blocks]
            tables = {str(number): table for number, (_, table) in enumerate(pairs) if table}
            if not tables:
                return {}, operation
            return {"blocks": tables}, operation.replace_blocks([block for block, _ in pairs])
        from qiskit.circuit import Instruction

        # A gate has only gates in its definition. Qiskit's own classes would lose a definition that is not theirs.
        if type(operation) is not Instruction or operation.definition is None:
            return {}, operation
        definition, table = self.out_of(operation.definition)
        if not table:
            return {}, operation
        copy = operation.copy()
        copy.definition = definition
        return {"definition": table}, copy

    def _placeholder(self, operation: Operation) -> Operation:
        from qiskit.circuit import Barrier, Instruction

        self.placeholders += 1
        name = f"aer_{self.placeholders}"
        # Of instructions that are not its own QPY writes a list in random order: the same circuits, other bytes.
        if operation.num_clbits == 0:
            return Barrier(operation.num_qubits, label=name)
        return Instruction(name, operation.num_qubits, operation.num_clbits, [])


def _with(circuit: QuantumCircuit, operations: dict[int, Operation]) -> QuantumCircuit:
    """Give a copy with other operations at some positions."""
    # Qiskit 2 panics where an item of ``data`` that has blocks is assigned, so that all are appended anew.
    other = circuit.copy_empty_like()
    for position, instruction in enumerate(circuit.data):
        if position in operations:
            instruction = instruction.replace(operation=operations[position])
        other.append(instruction, copy=False)
    return other


def _described(operation: Operation, circuit: QuantumCircuit, more: list[QuantumCircuit]) -> Table | None:
    # ``base_class``, because the classes of Qiskit's singletons (measure, for one) have no module.
    kind = getattr(operation, "base_class", type(operation))
    is_aers = kind.__module__.startswith("qiskit_aer")
    if not is_aers and not (kind.__name__ == _CHANNEL and operation.name in _CHANNELS):
        return None
    entry: Table = {
        "class": kind.__name__,
        "name": operation.name,
        "bits": [operation.num_qubits, operation.num_clbits],
        "label": operation.label,
    }
    if kind.__name__ == _ERROR:
        parts = quantum_errors.describe(operation._quantum_error, more)
        if parts is not None:
            return {**entry, "error": parts}
    elif not is_aers or kind.__name__ in SETS:
        return {**entry, "params": list(operation.params)}
    elif kind.__name__ in SAVES:
        return {**entry, "params": list(operation.params), "subtype": operation._subtype}
    raise CircuitRefused(
        f"circuit {brief(circuit.name)} contains {brief(operation.name)}, an instruction of class {kind.__name__} that "
        "cannot be stored; leave it out"
    )


def _restored(circuit: QuantumCircuit, table: Table, circuits: Sequence[QuantumCircuit]) -> QuantumCircuit:
    if not table:
        return circuit
    operations: dict[int, Operation] = {}
    for key, entry in table.items():
        operation = circuit.data[int(key)].operation
        if "blocks" in entry:
            blocks = list(operation.blocks)
            for number, inner in entry["blocks"].items():
                blocks[int(number)] = _restored(blocks[int(number)], inner, circuits)
            operation = operation.replace_blocks(blocks)
        elif "definition" in entry:
            operation.definition = _restored(operation.definition, entry["definition"], circuits)
        else:
            operation = _made(entry, circuits)
        operations[int(key)] = operation
    return _with(circuit, operations)


def _made(entry: Table, circuits: Sequence[QuantumCircuit]) -> Operation:
    from qiskit.circuit import Instruction

    name, (qubits, clbits) = entry["class"], entry["bits"]
    if name == _ERROR:
        operation = quantum_errors.make(entry["error"], circuits).to_instruction()
        operation.label = entry["label"]
        return operation
    if name == _CHANNEL and entry["name"] in _CHANNELS:
        return Instruction(entry["name"], qubits, clbits, entry["params"], label=entry["label"])
    if name not in SAVES | SETS:
        raise ValueError(f"an instruction of class {name!r} is not known")
    # Their constructors take what the fields were made of, and would make them anew, not bit for bit the same.
    kind = getattr(import_module(_LIBRARY), name)
    operation = kind.__new__(kind)
    if name in SAVES:
        save_data = import_module(f"{_LIBRARY}.save_instructions.save_data").SaveData
        save_data.__init__(
            operation, entry["name"], qubits, entry["label"], subtype=entry["subtype"], params=entry["params"]
        )
    else:
        Instruction.__init__(operation, entry["name"], qubits, clbits, entry["params"], label=entry["label"])
    return operation
