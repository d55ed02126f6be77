"""Frozen dataclasses of our own do what those of the standard library do, before and after they are compiled."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import field
from typing import Any

import pytest

from aerjob_cli import frozen


@frozen.dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 2
    seen: list[int] = field(default_factory=list, compare=False)
    note: str = field(default="", repr=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("x is negative")


@pytest.mark.parametrize("instances", [1, 200])
def test_they_are_made_compared_and_changed_as_others_are(instances: int) -> None:
    made = [Point(number, note="n") for number in range(instances)]
    first = made[0]
    assert (first.x, first.y, first.seen, first.note) == (0, 2, [], "n")
    assert first.seen is not Point(1).seen
    assert first == Point(0, note="n", seen=[7])
    assert hash(first) == hash(Point(0, note="n"))
    assert first != Point(0, 3, note="n")
    assert repr(first) == "Point(x=0, y=2, seen=[])"
    assert dataclasses.replace(first, y=5) == Point(x=0, y=5, note="n")
    assert copy.copy(first) == pickle.loads(pickle.dumps(first)) == first  # noqa: S301 - our own bytes
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.x = 1  # type: ignore[misc]
    with pytest.raises(ValueError, match="negative"):
        Point(-1)


@pytest.mark.parametrize("given", [{}, {"x": 1, "z": 2}])
def test_a_field_that_is_missing_or_unknown_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Point(**given)
    with pytest.raises(TypeError):
        Point(1, 2, [], "n")  # type: ignore[call-arg]
