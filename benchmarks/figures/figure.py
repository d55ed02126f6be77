"""What a figure is: something to measure in rounds, and the lines that are told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

# What one round has measured: seconds, MB or counts, by the name of what was measured. What was left out is missing.
Sample = Mapping[str, float]


@dataclass(frozen=True)
class Setting:
    """Where a figure may write, and how much of it is asked for."""

    folder: Path
    rounds: int = 5
    jobs: int = 1000
    qubits: int = 24
    result_qubits: int = 25
    cancel_qubits: int = 26
    store_jobs: int = 1_000_000
    repeats: int = 10
    idle_s: float = 10.0


@dataclass(frozen=True)
class Line:
    """One value that is made of each round's sample, and what it should be.

    ``of`` raises ``KeyError`` for what the round has left out. ``source`` is "bound" for what must be reached, or "aim"
    for what is tried beyond that.
    """

    what: str
    of: Callable[[Sample], float]
    unit: str = "×"
    at_most: float | None = None
    at_least: float | None = None
    source: str = ""

    def values(self, samples: list[Sample]) -> list[float]:
        """Give the value of each round that has it."""
        found = []
        for sample in samples:
            try:
                found.append(self.of(sample))
            except KeyError:
                continue
        return found

    def is_met(self, value: float) -> bool | None:
        """Tell whether a value is within the bound; None where there is no bound."""
        if self.at_most is None and self.at_least is None:
            return None
        return (self.at_most is None or value <= self.at_most) and (self.at_least is None or value >= self.at_least)


@dataclass(frozen=True)
class Bench:
    """A figure that is set up: ``measure`` measures the round of that number."""

    measure: Callable[[int], Sample]
    # What cannot be measured here, and why.
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """One thing that is measured, under a name of its own."""

    name: str
    about: str
    lines: tuple[Line, ...]
    set_up: Callable[[Setting], AbstractContextManager[Bench]]


def in_turn(contenders: Mapping[str, Callable[[], Sample]], number: int) -> dict[str, float]:
    """Have each contender measure once, another one first in each round, so that none has the better place."""
    sample: dict[str, float] = {}
    for name in rotated(list(contenders), number):
        sample.update({f"{name} {key}".strip(): value for key, value in contenders[name]().items()})
    return sample


def interleaved(contenders: Mapping[str, Callable[[], float]], *, repeats: int, number: int) -> dict[str, float]:
    """Measure all contenders one after the other, again and again, and give the median of each."""
    values: dict[str, list[float]] = {name: [] for name in contenders}
    for repeat in range(repeats):
        for name in rotated(list(contenders), number + repeat):
            values[name].append(contenders[name]())
    return {name: median(found) for name, found in values.items()}


def rotated(names: list[str], number: int) -> Iterator[str]:
    """Give the names in their order, from another one on for each number."""
    start = number % len(names)
    yield from names[start:]
    yield from names[:start]
