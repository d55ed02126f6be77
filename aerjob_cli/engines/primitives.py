"""Runs PUBs on Aer's own primitives, one at a time: each is an experiment, and so a checkpoint.

A PUB whose circuits are the k-th and following of its job, counted with each set of parameter values by itself, runs
with the seed s + 2113·k, modulo 2^63. That is how Aer counts: where all PUBs have the same number of shots, a job gives
bit for bit what ``qiskit_aer.primitives.SamplerV2(seed=s)`` gives. ``EstimatorV2`` uses one seed for all its PUBs, so
that their noise is the same; here PUB 0 is as it gives it, and the noise of the others does not depend on it.
"""

from __future__ import annotations

import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import qiskit_aer
from qiskit import QuantumCircuit
from qiskit.primitives import PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.result.models import ExperimentResult
from qiskit.transpiler import Target
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import EstimatorV2, SamplerV2

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.option_tables import AER_OPTIONS
from aerjob_cli.codec.program import Program
from aerjob_cli.codec.seeds import seed_after
from aerjob_cli.engines.aer import check_device, noise_of, threads_for
from aerjob_cli.engines.aer_calls import failure_of
from aerjob_cli.engines.aer_gates import gates_of
from aerjob_cli.engines.base import ExperimentRun, Plan, SimulationFailed, experiment_run
from aerjob_cli.engines.chunks import in_chunks
from aerjob_cli.engines.noise import check_is_felt
from aerjob_cli.engines.pub_checks import PubChecks
from aerjob_cli.engines.pub_sources import PubSource, estimator_pubs, sampler_pubs
from aerjob_cli.engines.pub_translation import PubTranslation
from aerjob_cli.errors import CircuitRefused
from aerjob_cli.states import Reason

if TYPE_CHECKING:
    from aerjob_cli.codec.pubs import Pub

_SEEDS = 2**63  # what Aer and NumPy's generators both take, from 0 on


class _PrimitiveEngine(ABC):
    """What the two have in common; see ``base.Engine`` for what its methods promise."""

    @property
    def version(self) -> str:
        return f"qiskit-aer {qiskit_aer.__version__}"

    def target(self, method: str) -> Target:
        return gates_of(method).target

    def check(self, program: Program, spec: JobSpec) -> Plan:
        simulator = _simulator(spec.method)
        check_device(spec, simulator)
        checks = PubChecks(program, spec, simulator)
        for index, pub in self.source(program, spec).to_check():
            checks.look_at(index, pub)
        if program.surroundings is not None:
            check_is_felt(program.surroundings, checks.names, program.circuits)
        return Plan(program.experiments_total, threads_for(checks.widest), checks.estimated_bytes)

    def run(self, program: Program, spec: JobSpec, missing: Sequence[tuple[int, int]]) -> Iterator[list[ExperimentRun]]:
        source = self.source(program, spec)
        job = _Job(spec, _StrictSimulator(spec), PubTranslation(program, spec), noise_of(program))

        def run(index: int) -> ExperimentRun:
            seed = seed_after(spec.seed, source.circuits_before(index)) % _SEEDS
            return self._run(source.pub(index), job, index, seed)

        return in_chunks(missing, run)

    def executed(self, program: Program, spec: JobSpec, positions: Iterable[int]) -> Iterator[QuantumCircuit]:
        source, translation = self.source(program, spec), PubTranslation(program, spec)
        for position in positions:
            pub = translation.ready(source.pub(position))
            values = pub.parameter_values
            # The circuit of many values is one, and gets them inside of Aer.
            yield values.bind(pub.circuit, ()) if values.num_parameters and not values.shape else pub.circuit

    @abstractmethod
    def source(self, program: Program, spec: JobSpec) -> PubSource:
        """Give the PUB of each experiment; raises ``CircuitRefused`` for those of the other primitive."""

    @abstractmethod
    def result_of(self, pub: Any, job: _Job, seed: int) -> PubResult:
        """Run a PUB whose circuit is ready for Aer."""

    @abstractmethod
    def shots_of(self, pub: Any, spec: JobSpec) -> int:
        """Say how often each circuit of a PUB is run."""

    def _run(self, pub: Pub, job: _Job, index: int, seed: int) -> ExperimentRun:
        began = time.perf_counter()
        try:
            result = self.result_of(job.translation.ready(pub), job, seed)
        except (SimulationFailed, CircuitRefused):
            raise
        except MemoryError as error:
            raise SimulationFailed(Reason.OUT_OF_MEMORY, str(error) or "out of memory") from error
        except Exception as error:
            text = getattr(error, "message", None) or str(error) or type(error).__name__
            raise SimulationFailed(Reason.SIMULATION_FAILED, str(text)) from error
        assert job.simulator.latest is not None
        return replace(
            experiment_run(index, job.simulator.latest),
            name=str(pub.circuit.name),
            shots=self.shots_of(pub, job.spec),
            seed=seed,
            result=result,
            time_taken_s=time.perf_counter() - began,
        )


class SamplerEngine(_PrimitiveEngine):
    """The engine behind ``DurableSampler``: ``qiskit_aer.primitives.SamplerV2``."""

    def source(self, program: Program, spec: JobSpec) -> PubSource:
        return sampler_pubs(program, spec)

    def shots_of(self, pub: SamplerPub, spec: JobSpec) -> int:
        return spec.shots if pub.shots is None else int(pub.shots)

    def result_of(self, pub: SamplerPub, job: _Job, seed: int) -> PubResult:
        options = {"run_options": job.run_options()}
        sampler = SamplerV2.from_backend(job.simulator, default_shots=job.spec.shots, seed=seed, options=options)
        with warnings.catch_warnings():
            # That a circuit measures nothing was said when it was handed in.
            warnings.simplefilter("ignore", UserWarning)
            return sampler.run([pub]).result()[0]


class EstimatorEngine(_PrimitiveEngine):
    """The engine behind ``DurableEstimator``: ``qiskit_aer.primitives.EstimatorV2``."""

    def source(self, program: Program, spec: JobSpec) -> PubSource:
        return estimator_pubs(program)

    def shots_of(self, pub: EstimatorPub, spec: JobSpec) -> int:
        return spec.shots

    def result_of(self, pub: EstimatorPub, job: _Job, seed: int) -> PubResult:
        options = {"run_options": {**job.run_options(), "shots": job.spec.shots, "seed_simulator": seed}}
        return EstimatorV2.from_backend(job.simulator, options=options).run([pub]).result()[0]


@dataclass(frozen=True)
class _Job:
    """What all PUBs of a job are run with."""

    spec: JobSpec
    simulator: _StrictSimulator
    translation: PubTranslation
    noise: Mapping[str, Any]

    def run_options(self) -> dict[str, Any]:
        """Give the options of Aer's that are the same for all of them, in a dictionary of their own."""
        options = {name: value for name, value in self.spec.options.items() if name in AER_OPTIONS}
        limits = {"max_parallel_threads": self.spec.threads, "max_memory_mb": self.spec.max_memory_mb}
        return {**options, **limits, **self.noise}


class _StrictSimulator(AerSimulator):
    """Aer's simulator for its primitives, which take zeros for the outcomes of what has failed: here it raises."""

    def __init__(self, spec: JobSpec) -> None:
        super().__init__(method=spec.method)
        self._spec = spec
        # How it was simulated, which a PUB's result does not tell.
        self.latest: ExperimentResult | None = None

    def run(self, circuits: Any, parameter_binds: Any = None, **options: Any) -> Any:
        job = super().run(circuits, parameter_binds=parameter_binds, **options)
        result = job.result()
        for experiment in result.results:
            if not experiment.success:
                raise failure_of(experiment, self._spec)
        if not result.results:
            raise RuntimeError(str(result.status).removeprefix("ERROR: "))
        self.latest = result.results[0]
        return job


@lru_cache
def _simulator(method: str) -> AerSimulator:
    return AerSimulator(method=method)
