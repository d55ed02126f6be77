"""How much of the fault matrix a run injects: a seeded sample of each fault's points, or every one of them.

A fault has many points at which it can strike: each system call of a command, each byte of a file, each instant of a
run. `pytest -m faults` takes a few of each, the same ones for the same seed; `--fault-matrix=full` takes all.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

Point = TypeVar("Point")


@dataclass(frozen=True)
class Matrix:
    """What one run of the tests takes of each fault."""

    is_full: bool
    seed: int

    def take(self, points: Sequence[Point], sample: int, *, name: str) -> list[Point]:
        """Give all points, or ``sample`` of them in their order; ``name`` tells one fault's choice from another's."""
        if self.is_full or len(points) <= sample:
            return list(points)
        return [points[at] for at in sorted(self.random(name).sample(range(len(points)), sample))]

    def times(self, *, sample: int, full: int) -> int:
        """Give how often to repeat what has no countable points."""
        return full if self.is_full else sample

    def rounds(self, *, sample: int, full: int, is_enough: Callable[[], bool]) -> Iterator[int]:
        """Count rounds of what chance decides: as many as this run takes, and then more until all has been seen.

        ``full`` are the most of them: a machine that is busy elsewhere gives chance less room.
        """
        for number in range(full):
            if number >= self.times(sample=sample, full=full) and is_enough():
                return
            yield number

    def random(self, name: str) -> random.Random:
        """Give the source of randomness of one fault; the same for the same seed, whatever else runs."""
        return random.Random(f"{self.seed}/{name}")
