"""Fields of JSON that a stranger wrote: each of the right type and in its range, or the whole is refused.

Whatever is not known is passed over: a later minor addition to the format must not make earlier readers fail.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

Item = TypeVar("Item")
Word = TypeVar("Word", bound=StrEnum)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_QUOTED_CHARACTERS = 60
_LEVELS = 500
# As paths of files can be.
_LONG_CHARACTERS = 5000


class NotAsItShouldBe(ValueError):
    """A field is not what it must be; the message says which and what it is."""


def parsed(data: bytes) -> dict[str, Any]:
    """Read JSON that is an object, in which no key comes twice; raises ``NotAsItShouldBe``."""
    try:
        value = json.loads(data, parse_constant=_no_number, object_pairs_hook=_object)
    except NotAsItShouldBe:
        raise
    except (ValueError, RecursionError):
        raise NotAsItShouldBe("it is no JSON") from None
    if not isinstance(value, dict):
        raise NotAsItShouldBe("it is no JSON object")
    return value


def _is_deep(value: object) -> bool:
    """Tell whether values are nested so deeply that who writes them again may fail at it."""
    level: list[Any] = [value]
    for _ in range(_LEVELS):
        level = [
            inner
            for item in level
            if isinstance(item, (dict, list))
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True


def _no_number(word: str) -> None:
    raise NotAsItShouldBe(f"it has {word}, which is no JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotAsItShouldBe("a key is there twice")
    return found


class Fields:
    """The fields of one object; ``where`` says in messages which one that is."""

    def __init__(self, content: object, where: str = "") -> None:
        if not isinstance(content, Mapping):
            raise NotAsItShouldBe(f"{where or 'it'} is no object")
        self._content = content
        self._where = where

    def optional(self, name: str, read: Callable[[str], Item]) -> Item | None:
        """Read a field by one of the methods below, None where it is null or not there."""
        return None if self._content.get(name) is None else read(name)

    def text(self, name: str, limit: int = 1000, *, may_be_empty: bool = False) -> str:
        value = self._content.get(name)
        if not isinstance(value, str) or len(value) > limit or not (value or may_be_empty):
            raise self._refused(name, f"a text of up to {limit} characters")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise self._refused(name, "a text in UTF-8")
        return value

    def matching(self, name: str, form: re.Pattern[str], meaning: str) -> str:
        value = self._content.get(name)
        if not isinstance(value, str) or not form.fullmatch(value):
            raise self._refused(name, meaning)
        return value

    def word(self, name: str, words: type[Word]) -> Word:
        value = self._content.get(name)
        if not isinstance(value, str) or value not in {str(word) for word in words}:
            raise self._refused(name, f"one of {', '.join(words)}")
        return words(value)

    def flag(self, name: str) -> bool:
        value = self._content.get(name)
        if not isinstance(value, bool):
            raise self._refused(name, "true or false")
        return value

    def whole(self, name: str, minimum: int, maximum: int) -> int:
        value = self._content.get(name)
        if type(value) is not int or not minimum <= value <= maximum:
            raise self._refused(name, f"a whole number from {minimum} to {maximum}")
        return value

    def number(self, name: str, minimum: float, maximum: float) -> float:
        value: Any = self._content.get(name)
        if type(value) not in (int, float) or not math.isfinite(value) or not minimum <= value <= maximum:
            raise self._refused(name, f"a number from {minimum:g} to {maximum:g}")
        return float(value)

    def time_us(self, name: str) -> int:
        """Read a time in UTC as microseconds since 1970."""
        value = self._content.get(name)
        try:
            if not isinstance(value, str) or not _TIME.fullmatch(value):
                raise ValueError
            found = (datetime.fromisoformat(value) - _EPOCH) // timedelta(microseconds=1)
            # Beyond that a float cannot tell them from each other.
            if not 0 <= found < 2**53:
                raise ValueError
        except ValueError:
            raise self._refused(name, "a time such as 2026-01-31T12:00:00.000000Z") from None
        return found

    def plain(self, name: str, limit_bytes: int) -> dict[str, Any]:
        """Read an object that may have anything in it."""
        value = self._content.get(name)
        if not isinstance(value, dict) or _is_deep(value) or len(json.dumps(value)) > limit_bytes:
            raise self._refused(name, f"an object of up to {limit_bytes} bytes, {_LEVELS} levels deep at most")
        return value

    def texts(self, name: str, limit: int) -> dict[str, str]:
        """Read an object of short texts."""
        value = self.plain(name, _LONG_CHARACTERS * limit)
        inner = Fields(value, self._named(name))
        if len(value) > limit or any(len(key) > 100 for key in value):
            raise self._refused(name, f"an object of up to {limit} texts")
        return {key: inner.text(key, _LONG_CHARACTERS, may_be_empty=True) for key in value}

    def items(self, name: str, limit: int) -> list[Any]:
        value = self._content.get(name)
        if not isinstance(value, list) or len(value) > limit:
            raise self._refused(name, f"a list of up to {limit} items")
        return value

    def objects(self, name: str, limit: int) -> list[Fields]:
        """Read a list of objects."""
        return [Fields(item, f"{self._named(name)}[{place}]") for place, item in enumerate(self.items(name, limit))]

    def _named(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def _refused(self, name: str, wanted: str) -> NotAsItShouldBe:
        said = repr(self._content.get(name))
        if len(said) > _QUOTED_CHARACTERS:
            said = f"{said[:_QUOTED_CHARACTERS]}…"
        return NotAsItShouldBe(f"{self._named(name)} is {said} instead of {wanted}")
