"""The simulators, and how far they reach with the memory of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from aerjob_cli.catalog import Simulator
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.engines.memory import fits, needed_bytes
from aerjob_cli.frozen import dataclass
from aerjob_cli.plugins.discovery import Plugin

# No method reaches so far; the search for the widest circuit ends here.
_QUBITS_AT_MOST = 1_000_000


@dataclass(frozen=True)
class Reach:
    """A simulator and, for each of its methods, the most qubits that fit; None where that depends on the circuit."""

    simulator: Simulator
    max_qubits: dict[str, int | None]

    @classmethod
    def of(cls, simulator: Simulator, memory_mb: int) -> Reach:
        """Compute it for ``memory_mb`` MiB."""
        return cls(simulator, {method: _widest(simulator, method, memory_mb) for method in simulator.methods})

    @property
    def of_default(self) -> int | None:
        """The most qubits with the method that a job gets when it asks for none."""
        return self.max_qubits[self.simulator.method]

    def as_json(self, *, is_default: bool) -> dict[str, Any]:
        return {
            "name": self.simulator.name,
            "description": self.simulator.description,
            "returns": self.simulator.returns,
            "default": is_default,
            "default_method": self.simulator.method,
            "max_qubits": self.of_default,
            "methods": [{"name": name, "max_qubits": limit} for name, limit in self.max_qubits.items()],
        }


@dataclass(frozen=True, kw_only=True)
class Backends(Answer):
    """All simulators; ``default`` names the one that a submission gets when it asks for none.

    ``left_out`` are those of plugins that cannot be used as things are.
    """

    screen: ClassVar[str | None] = "backends"

    default: str
    memory_mb: int
    reaches: tuple[Reach, ...]
    left_out: tuple[Plugin, ...] = ()

    def content(self) -> dict[str, Any]:
        return {
            "memory_mb": self.memory_mb,
            "backends": [reach.as_json(is_default=reach.simulator.name == self.default) for reach in self.reaches],
            "left_out": [
                {
                    "name": plugin.name,
                    "origin": plugin.origin,
                    "broken": plugin.is_broken,
                    "fact": plugin.fact,
                    "remedy": plugin.remedy,
                }
                for plugin in self.left_out
            ],
        }

    def lines(self) -> Iterator[str]:
        for reach in self.reaches:
            limit = "-" if reach.of_default is None else str(reach.of_default)
            simulator = reach.simulator
            yield "\t".join((simulator.name, simulator.returns, limit, ",".join(simulator.methods)))


def _widest(simulator: Simulator, method: str, memory_mb: int) -> int | None:
    """Find the most qubits whose state fits, by bisection: the need grows with the width."""
    if needed_bytes(method, 1) is None:
        return simulator.max_qubits_of(method)
    low, high = 0, simulator.max_qubits_of(method) or _QUBITS_AT_MOST
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _has_room(method, middle, memory_mb) else (low, middle - 1)
    return low


def _has_room(method: str, qubits: int, memory_mb: int) -> bool:
    # A shift by a million bits would itself take long; nobody has 2^100 bytes.
    if method != "stabilizer" and qubits > 100:
        return False
    needed = needed_bytes(method, qubits)
    return needed is not None and fits(needed, memory_mb)
