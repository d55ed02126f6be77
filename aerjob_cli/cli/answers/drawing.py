"""Circuits as they are drawn with characters, or summed up where a drawing would be too large."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.plurals import count_of
from aerjob_cli.frozen import dataclass


@dataclass(frozen=True)
class Drawing:
    """One circuit. ``position`` counts from 0 in the job; ``text`` is None where the circuit is too large for one."""

    position: int
    name: str
    qubits: int
    clbits: int
    depth: int
    operations: Mapping[str, int]
    text: str | None

    def as_json(self) -> dict[str, Any]:
        """Give its public keys."""
        return {
            "experiment": self.position,
            "name": self.name,
            "qubits": self.qubits,
            "clbits": self.clbits,
            "depth": self.depth,
            "operations": dict(self.operations),
            "drawing": self.text,
        }

    def lines(self) -> Iterator[str]:
        """Give a heading and the drawing, clean."""
        counts = ", ".join(f"{name} {count}" for name, count in self.operations.items())
        operations = count_of(sum(self.operations.values()), "operation")
        yield clean(
            f"# {self.position} {self.name}: {count_of(self.qubits, 'qubit')}, {count_of(self.clbits, 'clbit')}, "
            f"depth {self.depth}, {operations}{f' ({counts})' if counts else ''}"
        )
        if self.text is not None:
            yield from map(clean, self.text.split("\n"))


@dataclass(frozen=True, kw_only=True)
class Drawings(Answer):
    """The circuits of a job; ``translated_by`` has versions when they are as the simulator gets them."""

    job_id: str
    drawings: tuple[Drawing, ...]
    translated_by: Mapping[str, str] | None = None

    def content(self) -> dict[str, Any]:
        return {
            "job_id": self.job_id,
            "translated_by": None if self.translated_by is None else dict(self.translated_by),
            "circuits": [drawing.as_json() for drawing in self.drawings],
        }

    def lines(self) -> Iterator[str]:
        for drawing in self.drawings:
            yield from drawing.lines()
