"""Values that JSON has no words for, as markers in JSON and arrays beside it; and the way back, exactly.

A marker is an object with one key that begins with a single ``$``:

    {"$npy": "statevector"}          an array, by its name
    {"$object": "aer.Statevector", "data": …, "dims": […]}    one of ``quantum_objects``
    {"$tuple": […]}                  a tuple
    {"$dict": [[key, value], …]}     a dictionary with keys that are no texts
    {"$complex": [re, im]}           a complex number
    {"$float": "7ff8000000000000"}   a float that is not finite, by its bits
    {"$scalar": ["<f4", "0000803f"]} a number of NumPy's: dtype and bytes
    {"$bytes": "00ff"}               bytes

In a dictionary of somebody else's, a key that begins with ``$`` gets one more, and loses it on the way back.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from aerjob_cli.codec.arrays import Array, ArrayNotStorable
from aerjob_cli.codec.quantum_objects import put_together, take_apart
from aerjob_cli.codec.strict_json import NotJson

_SIGN = "$"
_DOUBLE = struct.Struct(">d")
_SCALAR_KINDS = frozenset("biufcSUmM")
# Names become those of files and of columns.
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
_PART_CHARACTERS = 40
_PARTS = 8


class Marking:
    """One value being written: what of it is JSON, and the arrays that were taken out."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self._taken: set[str] = set()

    def mark(self, value: Any, path: tuple[str, ...] = ()) -> Any:
        """Give ``value`` in JSON's own types, with markers; raises ``NotJson`` for what cannot be told in them.

        Arrays are named by their path.
        """
        kind = type(value)
        if value is None or kind in (str, bool, int):
            return value
        if kind is float and math.isfinite(value):
            return value
        if kind is list:
            return [self.mark(item, (*path, str(index))) for index, item in enumerate(value)]
        if kind is dict and all(type(key) is str for key in value):
            return {_escaped(key): self.mark(item, (*path, key)) for key, item in value.items()}
        return self._marker(value, path)

    def _marker(self, value: Any, path: tuple[str, ...]) -> dict[str, Any]:
        kind = type(value)
        if kind is np.ndarray:
            return {"$npy": self._named(value, path)}
        if kind is float:
            return {"$float": _DOUBLE.pack(value).hex()}
        if kind is complex:
            return {"$complex": [self.mark(value.real), self.mark(value.imag)]}
        if kind is tuple:
            return {"$tuple": [self.mark(item, (*path, str(index))) for index, item in enumerate(value)]}
        if kind is dict:
            items = sorted(value.items(), key=lambda item: (type(item[0]).__name__, repr(item[0])))
            return {"$dict": [[self.mark(key, path), self.mark(item, (*path, str(key)))] for key, item in items]}
        if kind is bytes:
            return {"$bytes": value.hex()}
        if isinstance(value, np.generic) and value.dtype.kind in _SCALAR_KINDS:
            return {"$scalar": [value.dtype.str, value.tobytes().hex()]}
        taken = take_apart(value)
        if taken is None:
            raise NotJson("/".join(path) or "value", kind.__name__)
        tag, parts = taken
        # What an object consists of carries its own name: there is one array in it.
        return {"$object": tag, **{part: self.mark(item, path) for part, item in parts.items()}}

    def _named(self, array: Array, path: tuple[str, ...]) -> str:
        if array.dtype.hasobject or array.dtype.names is not None:
            raise ArrayNotStorable(f"{'/'.join(path)} is an array of dtype {array.dtype}, which cannot be stored")
        parts = [_NOT_IN_NAMES.sub("_", part)[:_PART_CHARACTERS] or "_" for part in path[:_PARTS]]
        stem = ".".join(parts) or "array"
        name, number = stem, 1
        # Some file systems do not tell capitals apart.
        while name.lower() in self._taken:
            number += 1
            name = f"{stem}~{number}"
        self._taken.add(name.lower())
        self.arrays[name] = array
        return name


def _escaped(key: str) -> str:
    return _SIGN + key if key.startswith(_SIGN) else key


def restore(content: Any, arrays: Mapping[str, Array]) -> Any:
    """Give back what was marked, with the arrays of the names in it; raises ``ValueError`` for what is no marking."""
    if isinstance(content, list):
        return [restore(item, arrays) for item in content]
    if not isinstance(content, dict):
        return content
    signs = [key for key in content if key.startswith(_SIGN) and not key.startswith(_SIGN * 2)]
    if not signs:
        return {key.removeprefix(_SIGN): restore(item, arrays) for key, item in content.items()}
    sign = signs[0]
    if sign == "$npy":
        return _array(content[sign], arrays)
    if sign == "$object":
        parts = {key: restore(item, arrays) for key, item in content.items() if key != sign}
        return put_together(content[sign], parts)
    if sign not in _VALUES or len(content) != 1:
        raise ValueError(f"the marker {sign!r} is not known")
    return _VALUES[sign](restore(content[sign], arrays))


def _array(name: str, arrays: Mapping[str, Array]) -> Array:
    if name not in arrays:
        raise ValueError(f"the array {name!r} is missing")
    return arrays[name]


def _scalar(parts: list[str]) -> Any:
    dtype = np.dtype(parts[0])
    data = bytes.fromhex(parts[1])
    if dtype.kind not in _SCALAR_KINDS or len(data) != dtype.itemsize:
        raise ValueError(f"a number of dtype {parts[0]!r} is not what was stored")
    return np.frombuffer(data, dtype)[0] if data else dtype.type()


_VALUES: dict[str, Callable[[Any], Any]] = {
    "$tuple": tuple,
    "$dict": lambda items: {key: item for key, item in items},  # noqa: C416 - items are lists of two
    "$complex": lambda parts: complex(*parts),
    "$float": lambda digits: _DOUBLE.unpack(bytes.fromhex(digits))[0],
    "$scalar": _scalar,
    "$bytes": bytes.fromhex,
}
