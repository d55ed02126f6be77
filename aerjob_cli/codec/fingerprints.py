"""Telling whether two programs are the same, in whatever process each was made.

Bytes do not tell that: QPY holds a random number for each parameter and lists gates of the user's own in random order,
and Qiskit numbers circuits without a name. A fingerprint is a SHA-256 of what a circuit does and is called.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aerjob_cli.codec.aer_instructions import SAVES, SETS

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import CircuitInstruction, Operation, ParameterExpression

_NUMBERED = re.compile(r"circuit-[0-9]+(?:-[0-9]+)?")
_STANDARD: dict[str, tuple[str, Any, list[str]]] = {}

# Beside standard gates: what these are is all in their parameters, label, definition, condition and blocks.
_DEFINED = frozenset({"Gate", "Instruction", "ControlledGate"})
_TOLD_BY_FIELDS = (
    _DEFINED
    | {"Barrier", "Delay", "Initialize", "Measure", "Reset", "StatePreparation", "UnitaryGate"}
    | {"BreakLoopOp", "ContinueLoopOp", "ForLoopOp", "IfElseOp", "WhileLoopOp"}
    | SAVES
    | SETS
)


class _Unknown(Exception):
    """A circuit holds what has no form that could be compared."""


def fingerprint(circuits: Iterable[QuantumCircuit]) -> str | None:
    """Give 64 hexadecimal digits, equal for equal circuits; None where a circuit holds what cannot be told in words."""
    try:
        described = [_circuit(circuit) for circuit in circuits]
        return hashlib.sha256(json.dumps(described, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    except (_Unknown, RecursionError):
        return None


def _circuit(circuit: QuantumCircuit) -> dict[str, Any]:
    places = {bit: place for bits in (circuit.qubits, circuit.clbits) for place, bit in enumerate(bits)}
    registers = (*circuit.qregs, *circuit.cregs)
    if circuit.num_vars or circuit.num_stretches:
        raise _Unknown
    return {
        "name": _NUMBERED.sub("circuit", circuit.name),
        "metadata": _value(circuit.metadata),
        "registers": [[register.name, [places[bit] for bit in register]] for register in registers],
        "bits": [circuit.num_qubits, circuit.num_clbits],
        "phase": _value(circuit.global_phase),
        "operations": [
            [_operation(item, places), [places[bit] for bit in item.qubits], [places[bit] for bit in item.clbits]]
            for item in circuit.data
        ],
    }


def _operation(item: CircuitInstruction, places: Mapping[Any, int]) -> list[Any]:
    """Describe an operation of a class whose fields are known; any other one may hold more than can be seen."""
    is_standard = item.is_standard_gate()
    # Of a whole number that somebody gave for an angle only the gate itself knows that it was one.
    if is_standard and not any(isinstance(value, float) and value.is_integer() for value in item.params):
        kind, control, fields = _standard(item)
        return [kind, item.name, [_value(value) for value in item.params], item.label, None, control, None, fields]
    operation = item.operation
    kind = _kind(operation)
    if not is_standard and kind not in _TOLD_BY_FIELDS:
        raise _Unknown
    definition = operation.definition if kind in _DEFINED else None
    return [
        kind,
        operation.name,
        [_value(value) for value in operation.params],
        operation.label,
        None if definition is None else _circuit(definition),
        _value(getattr(operation, "ctrl_state", None)),
        _condition(getattr(operation, "condition", None), places),
        _fields(operation),
    ]


def _standard(item: CircuitInstruction) -> tuple[str, Any, list[str]]:
    """Say of a standard gate what all of its name have in common; each is made but once to be asked for it."""
    known = _STANDARD.get(item.name)
    if known is None:
        gate = item.operation
        known = _STANDARD[item.name] = _kind(gate), _value(getattr(gate, "ctrl_state", None)), _fields(gate)
    return known


def _kind(operation: Operation) -> str:
    return str(getattr(operation, "base_class", type(operation)).__name__)


def _fields(operation: Operation) -> list[str]:
    return [str(getattr(operation, field, "")) for field in ("unit", "duration", "_subtype")]


def _condition(condition: Any, places: Mapping[Any, int]) -> Any:
    if condition is None:
        return None
    if not isinstance(condition, tuple):  # an expression
        raise _Unknown
    what, value = condition
    return [places.get(what, getattr(what, "name", None)), int(value)]


def _expression(expression: ParameterExpression) -> list[Any]:
    """Give an expression's parameters, and its value at one point: its terms are in any order, also as text."""
    from qiskit.circuit import Parameter

    if isinstance(expression, Parameter):
        return ["expression", [expression.name], f"{complex(_coordinate(expression.name)):.9e}"]
    point = {parameter: _coordinate(parameter.name) for parameter in expression.parameters}
    try:
        value = complex(expression.bind(point))
    except (ArithmeticError, TypeError, ValueError) as error:
        raise _Unknown from error
    # Terms that are added in another order may differ in the last digits.
    return ["expression", sorted(parameter.name for parameter in point), f"{value:.9e}"]


@lru_cache
def _coordinate(name: str) -> float:
    """Give a number from 0.1 to 1 that looks like no other name's."""
    return 0.1 + 0.9 * int(hashlib.sha256(name.encode()).hexdigest()[:12], 16) / 16**12


def _value(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (float, complex)):
        return _number(value)
    import numpy as np
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterExpression

    if isinstance(value, np.number):
        return _number(value)
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return [value.dtype.str, list(value.shape), hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()]
    if isinstance(value, ParameterExpression):
        return _expression(value)
    if isinstance(value, QuantumCircuit):
        return _circuit(value)
    if isinstance(value, range):  # of a loop, which may have any number of turns
        return ["range", value.start, value.stop, value.step]
    if isinstance(value, (list, tuple)):
        return [_value(item) for item in value]
    if isinstance(value, dict):
        return [[str(key), _value(item)] for key, item in sorted(value.items(), key=lambda item: str(item[0]))]
    raise _Unknown


def _number(value: Any) -> list[str]:
    return [type(value).__name__, repr(complex(value))]
