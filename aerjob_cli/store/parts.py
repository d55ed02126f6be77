"""Many values a few at a time: a statement of SQLite's takes 999 parameters in any build."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

_AT_ONCE = 500

Item = TypeVar("Item")


def in_parts(items: Sequence[Item], size: int = _AT_ONCE) -> Iterator[Sequence[Item]]:
    """Give the items in their order, up to ``size`` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
