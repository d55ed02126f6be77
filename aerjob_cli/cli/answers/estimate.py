"""What circuits would take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.sizes import show_size
from aerjob_cli.frozen import dataclass

_TIMES = ((1, "at once"), (60, "seconds"), (3600, "minutes"), (86400, "hours"), (86400 * 30, "days"))


@dataclass(frozen=True)
class EstimateOfOne:
    """What one circuit takes with one method. ``refused`` says why it cannot run so; None where it can.

    ``runs_as`` is the method that ``automatic`` takes. What is None nobody can tell.
    """

    backend: str
    method: str
    runs_as: str | None
    threads: int | None
    memory_bytes: int | None
    seconds: float | None
    refused: str | None

    @property
    def time(self) -> str | None:
        """Name the order of magnitude of the time."""
        if self.seconds is None:
            return None
        return next((name for limit_s, name in _TIMES if self.seconds < limit_s), "more than a month")

    def row(self) -> tuple[str, ...]:
        """Give simulator, method, memory, threads, time, or why not."""
        runs_as = f" ({self.runs_as})" if self.runs_as not in (None, self.method) else ""
        memory = "unknown" if self.memory_bytes is None else show_size(self.memory_bytes)
        if self.refused is not None:
            return self.backend, self.method, "-", "-", "-", clean(self.refused)
        return self.backend, f"{self.method}{runs_as}", memory, str(self.threads), self.time or "unknown", ""

    def as_json(self) -> dict[str, Any]:
        return {
            "backend": self.backend,
            "method": self.method,
            "runs_as": self.runs_as,
            "threads": self.threads,
            "memory_bytes": self.memory_bytes,
            "seconds": None if self.seconds is None else float(f"{self.seconds:.2g}"),
            "time": self.time,
            "refused": self.refused,
        }


@dataclass(frozen=True)
class EstimatedCircuit:
    """One circuit, what is in it, and its estimates."""

    name: str
    qubits: int
    clbits: int
    depth: int
    operations: Mapping[str, int]
    estimates: tuple[EstimateOfOne, ...]

    @property
    def gates(self) -> int:
        """How many operations it has, but for measurements and barriers."""
        return sum(count for name, count in self.operations.items() if name not in ("measure", "barrier"))

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "qubits": self.qubits,
            "clbits": self.clbits,
            "depth": self.depth,
            "gates": self.gates,
            "operations": dict(self.operations),
            "estimates": [estimate.as_json() for estimate in self.estimates],
        }


@dataclass(frozen=True, kw_only=True)
class Estimates(Answer):
    """The circuits of some files."""

    screen: ClassVar[str | None] = "estimate"

    circuits: tuple[EstimatedCircuit, ...]

    def content(self) -> dict[str, Any]:
        return {"circuits": [circuit.as_json() for circuit in self.circuits]}

    def lines(self) -> Iterator[str]:
        for circuit in self.circuits:
            for estimate in circuit.estimates:
                facts = (circuit.name, circuit.qubits, circuit.depth, circuit.gates)
                yield "\t".join((*(clean(str(fact)) for fact in facts), *estimate.row()))
