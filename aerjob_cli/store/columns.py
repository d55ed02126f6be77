"""The types of the tables' columns, whose values are read as ``values`` does it: none is trusted."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import Dialect, Float, Integer, LargeBinary, Text
from sqlalchemy.types import TypeEngine

from aerjob_cli.store.values import READERS, Reader


class Checked:
    """A type of ours. ``kind`` names how its values are read."""

    kind: str

    def result_processor(self, dialect: Dialect, coltype: object) -> Reader:
        return READERS[self.kind]


class Whole(Checked, Integer):
    """A whole number."""

    kind = "whole"


class Unsigned(Checked, Text):
    """A whole number from 0 to 2^64 − 1, which SQLite's integers do not hold; stored as decimal digits."""

    kind = "unsigned"

    def bind_processor(self, dialect: Dialect) -> Reader:
        return lambda value: None if value is None else str(value)


class Instant(Checked, Integer):
    """Microseconds since 1970 in UTC that a date can be made of."""

    kind = "instant"


class Real(Checked, Float[float]):
    """A finite number."""

    kind = "real"

    def bind_processor(self, dialect: Dialect) -> None:
        # SQLite itself makes a float of a whole number in such a column.
        return None


class Words(Checked, Text):
    """A text."""

    kind = "words"


class Octets(Checked, LargeBinary):
    """Bytes."""

    kind = "octets"


class OneOf(Checked, Text):
    """A text of a closed list."""

    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    @property
    def kind(self) -> str:  # type: ignore[override]
        return self.words.__name__.lower()


def kind_of(type_: TypeEngine[Any]) -> str | None:
    """Name how values of a type are read; None where any will do."""
    return type_.kind if isinstance(type_, Checked) else None
