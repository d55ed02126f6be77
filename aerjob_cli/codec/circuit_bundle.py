"""Circuits that are more than QPY can keep, and what belongs to them, in one bundle.

    circuits.qpy        the circuits, with placeholders for what QPY would lose, and behind them those of quantum errors
    instructions.json   what the placeholders stand for (``aer_instructions``), how many circuits come first, and
                        whatever else refers to circuits (``about``), with markers for what JSON has no words for
    arrays/NAME.npy     the arrays that the JSON refers to

Only aerjob writes such bundles.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aerjob_cli.codec import aer_instructions, bundle, quantum_payload, strict_json
from aerjob_cli.codec.envelope import CIRCUIT_BUNDLE, QPY
from aerjob_cli.errors import CircuitRefused

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Operation

_CIRCUITS = "circuits.qpy"
_INSTRUCTIONS = "instructions.json"
_LIBRARY = "qiskit.circuit.library."
_WELL_KNOWN = frozenset({"Initialize", "PauliGate", "StatePreparation", "UnitaryGate"})
_ARRAYS, _NPY = "arrays/", ".npy"


def encode(circuits: Sequence[QuantumCircuit]) -> tuple[str, bytes]:
    """Give the format and the bytes: QPY where that keeps the circuits, else a bundle; raises ``CircuitRefused``."""
    plain, tables = aer_instructions.take_out(circuits)
    if any(tables):
        return CIRCUIT_BUNDLE, _packed(plain, tables, count=len(circuits), about=None)
    data = quantum_payload.write(circuits)
    _check_readable(plain, data)
    return QPY, data


def _check_readable(circuits: Sequence[QuantumCircuit], data: bytes) -> None:
    """Refuse operations of Qiskit's library that QPY writes and cannot read; raises ``CircuitRefused``.

    Which these are depends on the release. Circuits of gates and measurements, as most are, need no proof.
    """
    rare = {
        str(item.name)
        for circuit in circuits
        for item in circuit.data
        if not item.is_standard_gate() and _is_rare(item.operation)
    }
    if not rare:
        return
    try:
        quantum_payload.read(data, "the circuits")
    except CircuitRefused as error:
        raise CircuitRefused(
            f"the circuits have an operation that Qiskit cannot read from QPY again, one of {', '.join(sorted(rare))}; "
            "transpile them first"
        ) from error


def _is_rare(operation: Operation) -> bool:
    # ``base_class``, because the classes of Qiskit's singletons have no module.
    kind = getattr(operation, "base_class", type(operation))
    return kind.__module__.startswith(_LIBRARY) and kind.__name__ not in _WELL_KNOWN


def write(circuits: Sequence[QuantumCircuit], *, about: Any) -> bytes:
    """Pack circuits, and a value that refers to them; raises ``CircuitRefused`` for what cannot be kept."""
    plain, tables = aer_instructions.take_out(circuits)
    return _packed(plain, tables, count=len(circuits), about=about)


def _packed(
    plain: Sequence[QuantumCircuit], tables: Sequence[aer_instructions.Table], *, count: int, about: Any
) -> bytes:
    from aerjob_cli.codec.arrays import ArrayNotStorable, encode_npy
    from aerjob_cli.codec.markers import Marking

    marking = Marking()
    try:
        content = marking.mark({"circuits": count, "instructions": list(tables), "about": about})
        arrays = {f"{_ARRAYS}{name}{_NPY}": encode_npy(array) for name, array in marking.arrays.items()}
        described = strict_json.dumps(content, "the circuits")
    except (strict_json.NotJson, ArrayNotStorable) as error:
        raise CircuitRefused(f"the circuits cannot be stored: {error}; leave that out") from error
    except RecursionError:
        raise CircuitRefused("the circuits are nested too deeply to be stored; write them flatter") from None
    return bundle.pack({_CIRCUITS: quantum_payload.write(plain), _INSTRUCTIONS: described, **arrays})


def read(data: bytes, name: str) -> tuple[list[QuantumCircuit], Any]:
    """Give the circuits and the value that was stored with them; raises ``CircuitRefused`` for what is no bundle."""
    from aerjob_cli.codec.arrays import decode_npy
    from aerjob_cli.codec.markers import restore

    try:
        parts = bundle.unpack(data)
        arrays = {
            part.removeprefix(_ARRAYS).removesuffix(_NPY): decode_npy(content)
            for part, content in parts.items()
            if part.startswith(_ARRAYS)
        }
        content = restore(json.loads(parts[_INSTRUCTIONS]), arrays)
        circuits = quantum_payload.read(parts[_CIRCUITS], name)
        circuits = aer_instructions.put_back(circuits, content["instructions"])
        return circuits[: content["circuits"]], content["about"]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise CircuitRefused(f"{name} is damaged and cannot be read; submit it again") from error
