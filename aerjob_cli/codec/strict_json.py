"""JSON that gives back exactly what it was given, or refuses.

``json.dumps`` silently turns tuples into lists, integer keys into strings and NumPy's floats into Python's.
What a user measured or wrote must not change on its way through the store, so such values are refused
instead.
"""

from __future__ import annotations

import json
import math
from typing import Any

_PLAIN = frozenset({str, int, bool, type(None)})


class NotJson(ValueError):
    """A value would not survive JSON unchanged; ``where`` is its place, ``kind`` its type."""

    def __init__(self, where: str, kind: str) -> None:
        super().__init__(f"{where} is a {kind}, which JSON cannot keep")
        self.where = where
        self.kind = kind


def dumps(value: Any, where: str = "value") -> bytes:
    """Encode ``value`` as compact UTF-8 JSON with sorted keys; raises ``NotJson``."""
    if not _is_json(value):
        check(value, where)
    return json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False).encode()


def _is_json(value: Any) -> bool:
    """Tell what ``check`` tells, several times as quickly, since it does not keep count of where it is."""
    kind = type(value)
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str or (type(item) not in _PLAIN and not _is_json(item)):
                return False
        return True
    if kind is list:
        return all(type(item) in _PLAIN or _is_json(item) for item in value)
    return kind in _PLAIN or (kind is float and math.isfinite(value))


def check(value: Any, where: str) -> None:
    """Raise ``NotJson`` unless ``value`` consists of JSON's own types, exactly."""
    kind = type(value)
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise NotJson(f"a key of {where}", type(key).__name__)
            check(item, f"{where}[{key!r}]")
    elif kind is list:
        for index, item in enumerate(value):
            # The texts of memory are many, and each is at once seen to be one.
            if type(item) is not str:
                check(item, f"{where}[{index}]")
    elif kind is float:
        if not math.isfinite(value):
            raise NotJson(where, f"float that is {value}")
    elif value is not None and kind not in (str, int, bool):
        raise NotJson(where, kind.__name__)
