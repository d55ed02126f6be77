"""Values of a job's parameters: for each circuit a table, of which each row is one experiment.

As JSON, since floats come back from it bit for bit, and a light command can show the values without NumPy:

    {"tables": [{"names": ["theta"], "points": [[0.0], [0.5]]}]}

One table is that of every circuit; otherwise there is one for each. Experiments are in the order of the circuits, and
for each circuit in that of the rows, as ``AerSimulator.run`` has them for its ``parameter_binds``.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from aerjob_cli.codec import strict_json
from aerjob_cli.errors import CircuitRefused
from aerjob_cli.frozen import dataclass


@dataclass(frozen=True)
class Table:
    """Points of named parameters; each point has a finite value for each name. Without names there is one point."""

    names: tuple[str, ...]
    points: tuple[tuple[float, ...], ...]


NO_PARAMETERS = Table((), ((),))


@dataclass(frozen=True)
class Sweep:
    """The tables of a job's circuits."""

    tables: tuple[Table, ...]

    def of(self, circuit: int) -> Table:
        """Give the table of the circuit at that place."""
        return self.tables[0 if len(self.tables) == 1 else circuit]

    def over(self, circuits: int) -> Points:
        """Give the points of a job that has so many circuits."""
        return Points(self, circuits)


class Points:
    """Which circuit each experiment of a job is of, and with which values."""

    def __init__(self, sweep: Sweep, circuits: int) -> None:
        self._sweep = sweep
        self._starts = [0, *accumulate(len(sweep.of(place).points) for place in range(circuits))]

    def circuit_of(self, experiment: int) -> int:
        """Give the place of the circuit; raises ``IndexError``."""
        if not 0 <= experiment < self._starts[-1]:
            raise IndexError("there is no experiment of that number")
        return bisect_right(self._starts, experiment) - 1

    def values_of(self, experiment: int) -> dict[str, float]:
        """Give the values of the circuit's parameters; raises ``IndexError``."""
        circuit = self.circuit_of(experiment)
        table = self._sweep.of(circuit)
        return dict(zip(table.names, table.points[experiment - self._starts[circuit]], strict=True))


def encode(sweep: Sweep) -> bytes:
    """Write a sweep as JSON; the same values give the same bytes."""
    tables = [
        {"names": list(table.names), "points": [[float(value) for value in point] for point in table.points]}
        for table in sweep.tables
    ]
    return strict_json.dumps({"tables": tables}, "the parameters")


def decode(data: bytes, name: str) -> Sweep:
    """Read what ``encode`` wrote; raises ``CircuitRefused`` for anything else."""
    try:
        return Sweep(tuple(_table(item) for item in json.loads(data)["tables"]))
    except (ValueError, TypeError, LookupError) as error:
        raise CircuitRefused(f"{name} is damaged and cannot be read; submit it again") from error


def _table(item: Mapping[str, Any]) -> Table:
    names = tuple(str(name) for name in item["names"])
    points = tuple(_point(values, len(names)) for values in item["points"])
    if not points:
        raise ValueError("a table has no points")
    return Table(names, points)


def _point(values: Sequence[Any], count: int) -> tuple[float, ...]:
    point = tuple(float(value) for value in values)
    if len(point) != count or not all(map(math.isfinite, point)):
        raise ValueError("a point has not one finite value for each name")
    return point
