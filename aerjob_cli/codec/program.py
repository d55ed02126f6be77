"""What a job runs, as it comes out of the payloads of a submission: its circuits.

One payload is one file of a submission, or what Python handed in; its format says what is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aerjob_cli.codec.circuits import decode_circuits

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


@dataclass(frozen=True)
class Program:
    """What an engine checks and runs."""

    circuits: Sequence[QuantumCircuit]

    @property
    def experiments_total(self) -> int:
        """Count the experiments: what is run, stored and started again one by one."""
        return len(self.circuits)


def decode_program(payloads: Iterable[tuple[str, bytes, str]]) -> Program:
    """Read the payloads of a job (format, bytes, name), in their order; raises ``CircuitRefused``."""
    circuits: list[QuantumCircuit] = []
    for format, data, name in payloads:
        circuits += decode_circuits(format, data, name)
    return Program(tuple(circuits))
