"""What an engine is: it checks circuits before they are accepted, and runs those whose results are missing.

An engine knows programs (circuits) and options. It does not know bytes, files, stores or pipes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.program import Program
from aerjob_cli.states import Reason

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.primitives import PubResult
    from qiskit.result.models import ExperimentResult
    from qiskit.transpiler import Target


@dataclass(frozen=True)
class Plan:
    """What a check found out: how many experiments there are, and how many threads the job shall have.

    ``estimated_bytes`` is the memory that it will take beyond what an executor has anyway; None where nobody can tell.
    """

    experiments_total: int
    threads: int
    # It says how the job is placed, and not what it is.
    estimated_bytes: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Estimate:
    """What running one circuit will take. ``method`` is the one that is used, whatever chooses it.

    ``estimated_bytes`` as in ``Plan``; ``seconds`` is right to an order of magnitude, None where nobody can tell.
    """

    method: str
    threads: int
    estimated_bytes: int | None
    seconds: float | None


@dataclass(frozen=True)
class ExperimentRun:
    """One experiment that succeeded. ``seed`` is the one it ran with, from 0 to 2^64 − 1.

    ``method``, ``threads`` and ``time_taken_s`` are what the simulator says of it, None where it does not; the time is
    measured here where outcomes are counted on the simulator's state.
    """

    index: int
    name: str
    shots: int
    seed: int
    result: ExperimentResult | PubResult
    method: str | None = None
    threads: int | None = None
    time_taken_s: float | None = None


def experiment_run(index: int, experiment: ExperimentResult) -> ExperimentRun:
    """Give what the simulator says of an experiment that succeeded."""
    metadata = getattr(experiment, "metadata", {})
    method, time_taken_s = metadata.get("method"), getattr(experiment, "time_taken", None)
    # Aer runs shots side by side, or shares out the state of each.
    threads = [metadata[key] for key in ("parallel_shots", "parallel_state_update") if key in metadata]
    return ExperimentRun(
        index=index,
        name=str(experiment.header["name"]),
        shots=int(experiment.shots),
        seed=int(experiment.seed_simulator),
        result=experiment,
        method=None if method is None else str(method),
        threads=math.prod(map(int, threads)) if threads else None,
        time_taken_s=None if time_taken_s is None else float(time_taken_s),
    )


class SimulationFailed(Exception):
    """An experiment failed; ``message`` is the simulator's own text."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Engine(Protocol):
    """An adapter that runs circuits on a simulator library."""

    @property
    def version(self) -> str:
        """Name the library and its version, for the record."""
        ...

    def target(self, method: str) -> Target:
        """Give the gates that circuits are translated to for ``method``, on any number of qubits."""
        ...

    def check(self, program: Program, spec: JobSpec) -> Plan:
        """Find out whether ``run`` can run all of it; raises ``CircuitRefused`` with the cause."""
        ...

    def run(self, program: Program, spec: JobSpec, missing: Sequence[tuple[int, int]]) -> Iterator[list[ExperimentRun]]:
        """Run the experiments of the half-open ranges in ``missing``, a chunk at a time, in order.

        Each experiment gives the same whatever else is missing. Whoever
        wants the memory of a chunk back before the next one runs drops it; nothing of it is kept here.
        Raises ``SimulationFailed`` after the good experiments of the chunk that failed were given.
        """
        ...

    def executed(self, program: Program, spec: JobSpec, positions: Iterable[int]) -> Iterator[QuantumCircuit]:
        """Give the circuits of some experiments as ``run`` hands them to the simulator."""
        ...


@runtime_checkable
class Sharing(Protocol):
    """What an engine has, beside all that an engine has, that can run several jobs in one call."""

    def shares_calls(self, program: Program, spec: JobSpec) -> bool:
        """Tell whether the circuits may be run as some of a longer list: they give the same there, in no time.

        The seeds of the experiments before and after them in the list continue the same sequence.
        """
        ...


@runtime_checkable
class Estimating(Protocol):
    """What an engine has, beside all that an engine has, that knows how long circuits take."""

    def estimates(self, program: Program, spec: JobSpec) -> Iterable[Estimate]:
        """Estimate what each circuit takes, in their order; raises ``CircuitRefused`` as ``check`` does."""
        ...
