"""What engines have in common whose library runs one circuit at a time: a plugin adds the circuit's own run.

Each experiment runs alone, with its own seed by the rule of all engines (s + 2113·i for experiment i of a job with
seed s), so that it gives the same whatever else is missing.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from qiskit import QuantumCircuit
from qiskit.result.models import ExperimentResult
from qiskit.transpiler import Target

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.program import Program
from aerjob_cli.codec.seeds import seed_after
from aerjob_cli.engines.base import ExperimentRun, Plan, SimulationFailed, experiment_run
from aerjob_cli.engines.checks import as_run, check_contents, check_numbers
from aerjob_cli.engines.chunks import in_chunks
from aerjob_cli.engines.experiments import Experiments
from aerjob_cli.engines.footprint import largest
from aerjob_cli.engines.survey import survey
from aerjob_cli.engines.translation import GateSet, runnable
from aerjob_cli.errors import CircuitRefused, brief
from aerjob_cli.plugins.discovery import simulator_named
from aerjob_cli.states import Reason


class OneByOneEngine(ABC):
    """An engine that runs each circuit alone; see ``base.Engine`` for what its methods promise.

    A subclass gives ``version`` and ``gates``, runs a circuit in ``run_circuit``, and may refuse more than the gates
    and ``Simulator.max_qubits`` do in ``check_circuit``.
    """

    @property
    @abstractmethod
    def version(self) -> str:
        """Name the library and its version, for the record."""

    @abstractmethod
    def gates(self, method: str) -> GateSet:
        """List what the library runs by name with that method; anything else is translated, or refused."""

    @abstractmethod
    def run_circuit(self, circuit: QuantumCircuit, spec: JobSpec, seed: int) -> ExperimentResult:
        """Run a circuit of these gates; the same circuit, spec and seed (0 to 2^64 − 1) give the same result.

        ``experiment_results`` makes results. What is raised is the failure of the experiment.
        """

    def check_width(self, circuit: QuantumCircuit, spec: JobSpec) -> None:
        """Refuse a circuit as it was submitted for its number of qubits; raises ``CircuitRefused``."""
        limit = simulator_named(spec.backend).max_qubits_of(spec.method)
        if limit is not None and circuit.num_qubits > limit:
            raise CircuitRefused(
                f"circuit {brief(circuit.name)} has {circuit.num_qubits} qubits, and {spec.backend} takes {limit}; "
                "use fewer qubits, or another simulator"
            )

    def check_circuit(self, circuit: QuantumCircuit, spec: JobSpec) -> None:  # noqa: B027 - most have nothing to add
        """Refuse a circuit as it would run, for what the names of its gates do not tell; raises ``CircuitRefused``."""

    def estimated_bytes(self, circuit: QuantumCircuit, spec: JobSpec) -> int | None:
        """Estimate the memory that a circuit takes as it runs; None where nobody can tell."""
        return None

    def target(self, method: str) -> Target:
        return self.gates(method).target

    def check(self, program: Program, spec: JobSpec) -> Plan:
        if program.surroundings is not None:
            raise CircuitRefused(f"{spec.backend} runs without noise; use qasm_simulator, or leave the noise out")
        experiments = self._experiments(program, spec)
        experiments.check_names()
        estimated_bytes: int | None = 0
        for place in range(len(program.circuits)):
            circuit = experiments.first_of(place)
            check_contents(circuit, survey(circuit), spec)
            # Before the translation, which of a wide circuit takes long.
            self.check_width(circuit, spec)
            translated = self._runnable(circuit, spec)
            if translated is not circuit:
                check_numbers(translated, survey(translated))
            for other in experiments.others_of(place):
                check_numbers(other, survey(other))
            self.check_circuit(translated, spec)
            estimated_bytes = largest(estimated_bytes, self.estimated_bytes(translated, spec))
        return Plan(program.experiments_total, 1, estimated_bytes)

    def run(self, program: Program, spec: JobSpec, missing: Sequence[tuple[int, int]]) -> Iterator[list[ExperimentRun]]:
        experiments = self._experiments(program, spec)
        return in_chunks(missing, lambda index: self._run(experiments.ready(index), spec, index))

    def executed(self, program: Program, spec: JobSpec, positions: Iterable[int]) -> Iterator[QuantumCircuit]:
        return map(self._experiments(program, spec).ready, positions)

    def _run(self, circuit: QuantumCircuit, spec: JobSpec, index: int) -> ExperimentRun:
        seed = seed_after(spec.seed, index) % 2**64
        began = time.perf_counter()
        try:
            result = self.run_circuit(circuit, spec, seed)
        except SimulationFailed:
            raise
        except MemoryError as error:
            raise SimulationFailed(Reason.OUT_OF_MEMORY, str(error) or "out of memory") from error
        except Exception as error:
            text = getattr(error, "message", None) or str(error) or type(error).__name__
            raise SimulationFailed(Reason.SIMULATION_FAILED, str(text)) from error
        run = experiment_run(index, result)
        if run.time_taken_s is not None:
            return run
        return replace(run, time_taken_s=time.perf_counter() - began)

    def _experiments(self, program: Program, spec: JobSpec) -> Experiments:
        circuits = as_run(program.circuits, spec)
        return Experiments(circuits, program.sweep, lambda circuit: self._runnable(circuit, spec))

    def _runnable(self, circuit: QuantumCircuit, spec: JobSpec) -> QuantumCircuit:
        gates = self.gates(spec.method)
        return runnable(circuit, gates, spec.optimization_level, may_translate=spec.may_translate)
