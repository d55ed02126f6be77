"""The types of the tables' columns, which trust no stored value.

SQLite stores anything in any column, and has no checksum on its pages. A value that is not of its column's kind is
damage, said to be so where it is read, and never what a caller stumbles over.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Dialect, Float, Integer, LargeBinary, Row, Text

# Years 1 to 9999, which is what `datetime` can say; in microseconds since 1970.
_EARLIEST_US = -62_135_596_800_000_000
_LATEST_US = 253_402_300_799_999_999
_QUOTED_CHARACTERS = 40
_DIGITS = re.compile("[0-9]{1,20}")

# What is called for each value that is read.
_Reader = Callable[[Any], Any]


class RowDamaged(Exception):
    """A stored value is not what can have been stored; ``faults.told`` makes a sentence of it."""


class Whole(Integer):
    """A whole number."""

    def result_processor(self, dialect: Dialect, coltype: object) -> _Reader:
        return _whole


class Unsigned(Text):
    """A whole number from 0 to 2^64 − 1, which SQLite's integers do not hold; stored as decimal digits."""

    def bind_processor(self, dialect: Dialect) -> _Reader:
        return lambda value: None if value is None else str(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> _Reader:
        return _unsigned


class Instant(Integer):
    """Microseconds since 1970 in UTC that a date can be made of."""

    def result_processor(self, dialect: Dialect, coltype: object) -> _Reader:
        return _instant


class Real(Float[float]):
    """A finite number."""

    def result_processor(self, dialect: Dialect, coltype: object) -> _Reader:
        return _real


class Words(Text):
    """A text."""

    def result_processor(self, dialect: Dialect, coltype: object) -> _Reader:
        return _words


class Octets(LargeBinary):
    """Bytes."""

    def result_processor(self, dialect: Dialect, coltype: object) -> _Reader:
        return _octets


class OneOf(Text):
    """A text of a closed list."""

    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def result_processor(self, dialect: Dialect, coltype: object) -> _Reader:
        known = {str(word) for word in self.words}

        def read(value: Any) -> Any:
            if value is None or (isinstance(value, str) and value in known):
                return value
            raise _damaged(value, f"a {self.words.__name__.lower()}")

        return read


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
