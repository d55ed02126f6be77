"""Calls of Aer: several circuits in one, each alone where the call failed as a whole, none where no call is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qiskit import QuantumCircuit
from qiskit.result.models import ExperimentResult, ExperimentResultData

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.option_tables import AER_OPTIONS
from aerjob_cli.codec.seeds import seed_after, signed_seed
from aerjob_cli.engines.aer_counts import Counting
from aerjob_cli.engines.aer_simulators import simulator_of
from aerjob_cli.engines.base import ExperimentRun, SimulationFailed, experiment_run
from aerjob_cli.engines.final_state import chopped
from aerjob_cli.states import Reason

_OUTCOMES = frozenset({"counts", "memory"})

_Outcome = tuple[list[ExperimentRun], SimulationFailed | None]


class Calls:
    """Runs circuits, and finds out which of them take no run of Aer to give what it gives."""

    def __init__(self) -> None:
        self._counting = Counting()

    def run(self, chunk: Sequence[QuantumCircuit], spec: JobSpec, start: int, options: dict[str, Any]) -> _Outcome:
        """Run circuits, in as few calls of Aer as are needed; give the good experiments, and the first failure."""
        runs: list[ExperimentRun] = []
        waiting: list[QuantumCircuit] = []
        for index, circuit in enumerate(chunk, start):
            counted = self._counting.experiment(circuit, spec, seed_after(spec.seed, index), options)
            if counted is None:
                waiting.append(circuit)
                continue
            good, failure = self._run_call(waiting, spec, index - len(waiting), options)
            runs += good
            if failure is not None:
                return runs, failure
            waiting = []
            runs.append(experiment_run(index, counted))
        good, failure = self._run_call(waiting, spec, start + len(chunk) - len(waiting), options)
        return runs + good, failure

    def _run_call(
        self, chunk: Sequence[QuantumCircuit], spec: JobSpec, start: int, options: dict[str, Any]
    ) -> _Outcome:
        if not chunk:
            return [], None
        results: list[ExperimentResult] = []
        failure: SimulationFailed | None = None
        try:
            results = _call(chunk, spec, start, options)
        except MemoryError as error:
            failure = SimulationFailed(Reason.OUT_OF_MEMORY, str(error) or "out of memory")
        except Exception as error:  # noqa: BLE001 - whatever Aer's compiler raises belongs to the circuit
            failure = SimulationFailed(Reason.SIMULATION_FAILED, str(error) or type(error).__name__)
        if failure is not None and len(chunk) > 1:
            return self._run_singly(chunk, spec, start, options)
        runs = []
        for index, (circuit, experiment) in enumerate(zip(chunk, results, strict=failure is None), start):
            if experiment.success:
                self._counting.learn(circuit, spec, options, experiment)
                runs.append(experiment_run(index, chopped(_as_if_alone(experiment), spec)))
            elif failure is None:
                failure = failure_of(experiment, spec)
        return runs, failure

    def _run_singly(
        self, chunk: Sequence[QuantumCircuit], spec: JobSpec, start: int, options: dict[str, Any]
    ) -> _Outcome:
        """Find the circuits that are good where the whole call failed and gave nothing."""
        runs = []
        for index, circuit in enumerate(chunk, start):
            good, failure = self._run_call([circuit], spec, index, options)
            runs += good
            if failure is not None:
                return runs, failure
        return runs, None


def chunk_seed(seed: int, index: int) -> int:
    """Compute ``seed_simulator`` of a run that starts at experiment ``index`` of a job with ``seed``."""
    return signed_seed(seed_after(seed, index))


def _call(
    chunk: Sequence[QuantumCircuit], spec: JobSpec, start: int, options: dict[str, Any]
) -> list[ExperimentResult]:
    seed = chunk_seed(spec.seed, start)
    result = simulator_of(spec.method).run(list(chunk), seed_simulator=seed, **options).result()
    experiments = list(result.results)
    if len(experiments) != len(chunk):
        raise RuntimeError(str(result.status).removeprefix("ERROR: "))
    return experiments


def options_of(spec: JobSpec) -> dict[str, Any]:
    """Give what is the same in every call of Aer for a job."""
    options = {name: value for name, value in spec.options.items() if name in AER_OPTIONS}
    return options | {
        "shots": spec.shots,
        "memory": spec.memory,
        "max_parallel_threads": spec.threads,
        "max_memory_mb": spec.max_memory_mb,
    }


def _as_if_alone(experiment: ExperimentResult) -> ExperimentResult:
    """Take away what depends on the others of the call, and so on how a job was cut into calls.

    A circuit without classical bits gets a count of nothing when it saves its state and another circuit has some.
    """
    if experiment.header["memory_slots"] == 0:
        data = experiment.data.to_dict()
        experiment.data = ExperimentResultData(**{name: data[name] for name in data if name not in _OUTCOMES})
    return experiment


def failure_of(experiment: ExperimentResult, spec: JobSpec) -> SimulationFailed:
    """Give the failure of an experiment that did not succeed, in Aer's own words."""
    text = str(experiment.status).removeprefix("ERROR: ")
    required_mb = int(getattr(experiment, "metadata", {}).get("required_memory_mb", 0))
    # Of an allocation that failed inside Aer there is only the C++ exception's name.
    is_memory = required_mb > spec.max_memory_mb or "bad_alloc" in text
    return SimulationFailed(Reason.OUT_OF_MEMORY if is_memory else Reason.SIMULATION_FAILED, text)
