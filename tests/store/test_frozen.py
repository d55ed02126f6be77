"""Frozen dataclasses of our own do what those of the standard library do, before and after they are compiled."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import field
from typing import Any

import pytest

from aerjob_cli import frozen


def point_class(*, is_inherited: bool) -> Any:
    """Make a class of which there is no instance yet: with some more than one it is compiled."""

    @frozen.dataclass(frozen=True)
    class Point:
        x: int
        y: float = 2
        seen: list[int] = field(default_factory=list, compare=False)
        note: str = field(default="", repr=False, kw_only=True)
        own: list[int] = field(init=False, default_factory=list, compare=False, repr=False)

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("x is negative")

    @frozen.dataclass(frozen=True)
    class Heir(Point):
        z: int = 7

    return Heir if is_inherited else Point


@pytest.mark.parametrize("is_inherited", [False, True])
@pytest.mark.parametrize("instances", [1, 200])
def test_they_are_made_compared_and_changed_as_others_are(instances: int, is_inherited: bool) -> None:
    point = point_class(is_inherited=is_inherited)
    made = [point(number, note="n") for number in range(instances)]
    first = made[0]
    assert (first.x, first.y, first.seen, first.note, first.own) == (0, 2, [], "n", [])
    other = point(1)
    assert first.seen is not other.seen
    assert first.own is not other.own
    assert first == point(0, note="n", seen=[7])
    assert hash(first) == hash(point(0, note="n"))
    assert first != point(0, 3, note="n")
    assert repr(first).endswith("Heir(x=0, y=2, seen=[], z=7)" if is_inherited else "Point(x=0, y=2, seen=[])")
    assert dataclasses.replace(first, y=5) == point(x=0, y=5, note="n")
    assert copy.copy(first) == first
    nan = float("nan")
    assert point(1, nan) == point(1, nan)
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.x = 1
    with pytest.raises(ValueError, match="negative"):
        point(-1)


@frozen.dataclass(frozen=True, slots=True)
class Place:
    """One that a pickle can name."""

    x: int
    note: str = ""


def test_they_survive_a_pickle() -> None:
    assert pickle.loads(pickle.dumps(Place(1, "n"))) == Place(1, "n")  # noqa: S301 - our own bytes


@pytest.mark.parametrize("given", [{}, {"x": 1, "z": 2}])
def test_a_field_that_is_missing_or_unknown_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Place(**given)
    with pytest.raises(TypeError):
        Place(1, "n", 2)  # type: ignore[call-arg]
