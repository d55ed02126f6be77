"""What simulators say of themselves in the words of the first backends of Qiskit: ``configuration()`` and ``status()``.

Qiskit's own classes for it are gone since Qiskit 2; Aer still answers ``configuration()`` and ``properties()``.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import asdict
from typing import Any

from aerjob_cli.catalog import METHODS_WITHOUT_COUNTS, Simulator
from aerjob_cli.codec.option_tables import SHOTS_LIMIT
from aerjob_cli.codec.program_text import REGISTER_LIMIT
from aerjob_cli.engines.memory import MEBIBYTE, needed_bytes
from aerjob_cli.frozen import dataclass
from aerjob_cli.memory import usable_memory_mb
from aerjob_cli.settings import CIRCUITS_LIMIT
from aerjob_cli.version import __version__


@dataclass(frozen=True, kw_only=True)
class BackendConfiguration:
    """What a simulator can do. ``n_qubits`` is the widest circuit that it takes, whatever the circuit does."""

    backend_name: str
    backend_version: str
    n_qubits: int
    basis_gates: list[str]
    description: str
    conditional: bool
    memory: bool
    max_shots: int
    max_experiments: int
    simulator: bool = True
    local: bool = True
    open_pulse: bool = False
    coupling_map: list[list[int]] | None

    @property
    def num_qubits(self) -> int:
        """The same as ``n_qubits``."""
        return self.n_qubits

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as a dictionary."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class BackendStatus:
    """What a simulator is doing: ``pending_jobs`` counts the jobs of its store that have not ended."""

    backend_name: str
    backend_version: str
    operational: bool
    pending_jobs: int
    status_msg: str

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as a dictionary."""
        return asdict(self)


def configuration_of(
    simulator: Simulator,
    *,
    method: str,
    gates: list[str],
    couplings: list[list[int]] | None,
    max_qubits: int | None,
) -> BackendConfiguration:
    """Describe a simulator as it would run a job with ``method`` now.

    ``couplings`` are those of the device that it stands for, ``max_qubits`` is the device's number or the user's limit.
    """
    gives_counts = method not in METHODS_WITHOUT_COUNTS
    return BackendConfiguration(
        backend_name=simulator.name,
        backend_version=__version__,
        n_qubits=widest(simulator, method) if max_qubits is None else max_qubits,
        basis_gates=gates,
        description=simulator.description,
        conditional=gives_counts,
        memory=gives_counts,
        max_shots=SHOTS_LIMIT,
        max_experiments=CIRCUITS_LIMIT,
        coupling_map=couplings,
    )


def widest(simulator: Simulator, method: str) -> int:
    """Count the qubits of the widest state that fits into this machine.

    Circuits may be wider where not all of it is needed: Aer runs Clifford circuits by their stabilizers, leaves out
    qubits that nothing happens to, and keeps weakly entangled states in little memory.
    """
    limit = simulator.max_qubits_of(method)
    if needed_bytes(method, 1) is None:
        return REGISTER_LIMIT if limit is None else limit
    room_bytes = usable_memory_mb() * MEBIBYTE
    widths = range(1, REGISTER_LIMIT)
    fitting = int(bisect_right(widths, room_bytes, key=lambda qubits: needed_bytes(method, qubits) or 0))
    return fitting if limit is None else min(fitting, limit)
