"""Reading stored values, trusting none: SQLite stores anything in any column, and has no checksum on its pages.

A value that is not of its column's kind is damage, said to be so where it is read, and never what a caller stumbles
over. ``columns`` has the same kinds as the types of the tables.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aerjob_cli.states import After, Reason, Status

if TYPE_CHECKING:
    from sqlalchemy import Row

# Years 1 to 9999, which is what `datetime` can say; in microseconds since 1970.
_EARLIEST_US = -62_135_596_800_000_000
_LATEST_US = 253_402_300_799_999_999
_QUOTED_CHARACTERS = 40
_DIGITS = re.compile("[0-9]{1,20}")

# What is called for each value that is read.
Reader = Callable[[Any], Any]


class RowDamaged(Exception):
    """A stored value is not what can have been stored; ``faults.told`` makes a sentence of it."""


def complete(row: Row[*tuple[Any, ...]], needed: Sequence[str]) -> None:
    """Raise ``RowDamaged`` where a row lacks a value that it cannot be without."""
    values = row._mapping
    for name in needed:
        if values[name] is None:
            raise RowDamaged(f"a row has no {name}")


def parsed(text: str, kind: type[Any]) -> Any:
    """Read stored JSON, which is a value of ``kind``; raises ``RowDamaged``."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, kind):
        raise _damaged(text, "JSON")
    return value


def _whole(value: Any) -> Any:
    if value is None or type(value) is int:
        return value
    raise _damaged(value, "a whole number")


def _unsigned(value: Any) -> Any:
    if value is None:
        return None
    if type(value) is str and _DIGITS.fullmatch(value) and int(value) < 2**64:
        return int(value)
    raise _damaged(value, "a whole number")


def _instant(value: Any) -> Any:
    if value is None or (type(value) is int and _EARLIEST_US <= value <= _LATEST_US):
        return value
    raise _damaged(value, "a time")


def _real(value: Any) -> Any:
    if value is None or (isinstance(value, int | float) and math.isfinite(value)):
        return value
    raise _damaged(value, "a number")


def _words(value: Any) -> Any:
    if value is None or type(value) is str:
        return value
    raise _damaged(value, "a text")


def _octets(value: Any) -> Any:
    if value is None or type(value) is bytes:
        return value
    raise _damaged(value, "bytes")


def _damaged(value: Any, wanted: str) -> RowDamaged:
    said = repr(value)
    if len(said) > _QUOTED_CHARACTERS:
        said = f"{said[:_QUOTED_CHARACTERS]}…"
    return RowDamaged(f"{said} stands where {wanted} belongs")


def _one_of(words: type[StrEnum]) -> Reader:
    known = {str(word) for word in words}

    def read(value: Any) -> Any:
        if value is None or (isinstance(value, str) and value in known):
            return value
        raise _damaged(value, f"a {words.__name__.lower()}")

    return read


# How a value of each kind of column is read, by the name of the kind.
READERS: dict[str, Reader] = {
    "whole": _whole,
    "unsigned": _unsigned,
    "instant": _instant,
    "real": _real,
    "words": _words,
    "octets": _octets,
    "status": _one_of(Status),
    "reason": _one_of(Reason),
    "after": _one_of(After),
}
