"""A result's data beside counts and arrays, as plain JSON for people and scripts.

The markers (`codec.markers`) are told from within, without NumPy: a complex number is [real, imaginary], an array is
{"array": its name}, a float that is not finite is the text "nan", "inf" or "-inf".
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aerjob_cli.cli.answers.arrays import ArrayContent

# These objects are an array and its dimensions, and the array says it all.
_ARRAY_OBJECTS = frozenset({"Statevector", "DensityMatrix", "Operator", "SuperOp"})
# NumPy's descriptions of numbers, as those of `struct`.
_NUMBERS = {
    "|b1": "?",
    "|i1": "b",
    "|u1": "B",
    "<i2": "<h",
    "<i4": "<i",
    "<i8": "<q",
    "<u2": "<H",
    "<u4": "<I",
    "<u8": "<Q",
    "<f2": "<e",
    "<f4": "<f",
    "<f8": "<d",
    "<c8": "<ff",
    "<c16": "<dd",
}
_SUMMARY_CHARACTERS = 200


def plain(value: Any) -> Any:
    """Give data in JSON's own types. Raises ``ValueError`` for what is no marking."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    sign = next((key for key in value if key.startswith("$") and not key.startswith("$$")), None)
    if sign is None:
        return {key.removeprefix("$"): plain(item) for key, item in value.items()}
    if sign == "$object":
        parts = {key: plain(item) for key, item in value.items() if key != sign}
        return {"object": str(value[sign]).removeprefix("aer."), **parts}
    if sign not in _MEANINGS:
        raise ValueError(f"the marker {sign!r} is not known")
    return _MEANINGS[sign](value[sign])


def array_name(value: Any) -> str | None:
    """Give the name of the array that ``value`` is, or None when it is something else or more."""
    if not isinstance(value, dict):
        return None
    if str(value.get("$object")).removeprefix("aer.") in _ARRAY_OBJECTS:
        value = value["data"]
    name = value.get("$npy")
    return None if name is None else str(name)


def summary(content: Any, arrays: Mapping[str, ArrayContent]) -> str:
    """Say of plain data what it is, in a few words."""
    within = [arrays[name] for name in _names(content) if name in arrays]
    if not within:
        return _compact(content)
    bonds = _bond_dimensions(content, arrays)
    if bonds is not None:
        dimensions = f", bond dimensions {', '.join(map(str, bonds))}" if bonds else ""
        return f"matrix product state of {len(bonds) + 1} qubits{dimensions}"
    kind = f"{content['object']} with " if isinstance(content, dict) and "object" in content else ""
    noun = "1 array" if len(within) == 1 else f"{len(within)} arrays"
    return f"{kind}{noun}, {sum(array.size_bytes for array in within)} bytes"


def tableau_name(content: Any) -> str | None:
    """Give the name of a stabilizer tableau's array, or None when plain data is something else."""
    if isinstance(content, dict) and content.get("object") in ("StabilizerState", "Clifford"):
        return str(content["data"]["array"])
    return None


def stabilizers(rows: Sequence[Sequence[bool]]) -> str:
    """Write the generators of a tableau of 2n rows (x, z, sign) as Qiskit does: ``+XX +ZZ``, the last qubit first."""
    qubits = len(rows) // 2
    generators = []
    for row in rows[qubits:]:
        paulis = ["IXZY"[bool(row[qubit]) + 2 * bool(row[qubits + qubit])] for qubit in range(qubits)]
        generators.append(("-" if row[2 * qubits] else "+") + "".join(reversed(paulis)))
    return " ".join(generators)


def _compact(content: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return text if len(text) <= _SUMMARY_CHARACTERS else f"{text[: _SUMMARY_CHARACTERS - 1]}…"


def _names(content: Any) -> list[str]:
    if isinstance(content, list):
        return [name for item in content for name in _names(item)]
    if not isinstance(content, dict):
        return []
    if content.keys() == {"array"}:
        return [str(content["array"])]
    return [name for item in content.values() for name in _names(item)]


def _bond_dimensions(content: Any, arrays: Mapping[str, ArrayContent]) -> list[int] | None:
    """Give those of Aer's matrix product states, which are a pair of tensors a qubit and a vector a bond."""
    match content:
        case [[[{"array": _}, {"array": _}], *others] as tensors, list() as bonds] if len(bonds) == len(others):
            if all(len(pair) == 2 for pair in tensors):
                return [arrays[name].shape[0] for name in _names(bonds)]
    return None


def _number(parts: Sequence[str]) -> Any:
    form = _NUMBERS.get(parts[0])
    if form is None:
        return {"dtype": parts[0], "bytes": parts[1]}
    numbers = [_finite(number) for number in struct.unpack(form, bytes.fromhex(parts[1]))]
    return numbers if len(numbers) > 1 else numbers[0]


def _finite(number: float) -> float | str:
    # What is neither equal to itself nor smaller than infinity JSON cannot tell.
    return number if number - number == 0 else str(number)


_MEANINGS: dict[str, Callable[[Any], Any]] = {
    "$npy": lambda name: {"array": str(name)},
    "$tuple": plain,
    "$dict": lambda items: {_key(plain(key)): plain(item) for key, item in items},
    "$complex": plain,
    "$float": lambda digits: str(struct.unpack(">d", bytes.fromhex(digits))[0]),
    "$scalar": _number,
    "$bytes": str,
}


def _key(key: Any) -> str:
    return key if isinstance(key, str) else json.dumps(key)
