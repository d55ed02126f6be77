"""What an estimator found: values of observables, each with its standard deviation and its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from aerjob_cli.frozen import dataclass


@dataclass(frozen=True)
class Expectation:
    """One value; ``index`` is its place in the PUB's shape, empty where the PUB has one value only."""

    index: tuple[int, ...]
    value: float
    std: float

    def as_json(self) -> dict[str, Any]:
        return {"index": list(self.index), "value": self.value, "std": self.std}

    def line(self) -> str:
        """Write place, value and standard deviation, with all their digits."""
        return "\t".join((*map(str, self.index), repr(self.value), repr(self.std)))


@dataclass(frozen=True)
class Expectations:
    """All values of an experiment in the order of their indices, and of what they are, where that is one observable."""

    values: Sequence[Expectation]
    observable: str | None = None

    @property
    def title(self) -> str:
        return "expectation values" if self.observable is None else f"value of {self.observable}"

    @property
    def axes(self) -> int:
        """How many indices a value has."""
        return len(self.values[0].index) if self.values else 0

    def as_json(self) -> list[dict[str, Any]]:
        return [value.as_json() for value in self.values]

    def lines(self) -> Iterator[str]:
        return (value.line() for value in self.values)
