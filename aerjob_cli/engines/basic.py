"""Runs circuits on Qiskit's ``BasicSimulator``: written in Python, slow, and independent of Aer.

It draws the outcomes of a batch from one generator, so that a circuit's counts would depend on those before it. Here
each experiment runs alone, with its own seed by the rule of all engines: experiment i of a job with seed s gives what
``BasicSimulator().run(circuit, seed_simulator=(s + 2113·i) mod 2^64)`` gives.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import lru_cache

import qiskit
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.transpiler import Target

from aerjob_cli.catalog import SIMULATORS
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.program import Program
from aerjob_cli.engines.base import SEED_STEP, ExperimentRun, Plan, SimulationFailed, experiment_run
from aerjob_cli.engines.checks import as_run, check_contents, check_numbers
from aerjob_cli.engines.experiments import Experiments
from aerjob_cli.engines.memory import fits_job, in_words, needed_bytes, why_not
from aerjob_cli.engines.survey import survey
from aerjob_cli.engines.translation import GateSet, runnable
from aerjob_cli.errors import CircuitRefused, brief
from aerjob_cli.states import Reason

_CHUNK_S = 0.1
# It applies a gate by ``numpy.einsum``, with a letter for each qubit and each of the gate's.
_LETTERS = 26
_STATES_AT_ONCE = 2  # before and after a gate


class BasicEngine:
    """The engine of Qiskit's own simulator; see ``base.Engine`` for what its methods promise."""

    @property
    def version(self) -> str:
        return f"qiskit {qiskit.__version__}"

    def target(self, method: str) -> Target:
        return _gates().target

    def check(self, program: Program, spec: JobSpec) -> Plan:
        if program.surroundings is not None:
            raise CircuitRefused(f"{spec.backend} runs without noise; use qasm_simulator, or leave the noise out")
        experiments = _experiments(program, spec)
        experiments.check_names()
        for place in range(len(program.circuits)):
            circuit = experiments.first_of(place)
            findings = survey(circuit)
            check_contents(circuit, findings, spec)
            # Before the translation, which of a wide circuit takes long.
            _check_width(circuit, spec)
            translated = _runnable(circuit, spec)
            if translated is not circuit:
                check_numbers(translated, survey(translated))
            for other in experiments.others_of(place):
                check_numbers(other, survey(other))
            _check_letters(translated, spec)
        return Plan(program.experiments_total, 1)

    def run(self, program: Program, spec: JobSpec, missing: Sequence[tuple[int, int]]) -> Iterator[list[ExperimentRun]]:
        experiments = _experiments(program, spec)
        simulator = BasicSimulator()
        runs: list[ExperimentRun] = []
        began = time.perf_counter()
        for index in (index for start, stop in missing for index in range(start, stop)):
            try:
                runs.append(_run(simulator, experiments.ready(index), spec, index))
            except Exception:
                if runs:
                    yield runs
                raise
            if time.perf_counter() - began >= _CHUNK_S:
                yield runs
                runs, began = [], time.perf_counter()
        if runs:
            yield runs


@lru_cache
def _gates() -> GateSet:
    target = BasicSimulator().target
    return GateSet(
        label="basic_simulator",
        remedy="leave it out, or use qasm_simulator",
        names=frozenset(target.operation_names) | {"barrier"},
        target=target,
        has_open_controls=False,
    )


def _experiments(program: Program, spec: JobSpec) -> Experiments:
    return Experiments(as_run(program.circuits, spec), program.sweep, lambda circuit: _runnable(circuit, spec))


def _runnable(circuit: QuantumCircuit, spec: JobSpec) -> QuantumCircuit:
    return runnable(circuit, _gates(), spec.optimization_level, may_translate=spec.may_translate)


def _run(simulator: BasicSimulator, circuit: QuantumCircuit, spec: JobSpec, index: int) -> ExperimentRun:
    seed = (spec.seed + SEED_STEP * index) % 2**64
    try:
        result = simulator.run(circuit, shots=spec.shots, seed_simulator=seed, memory=spec.memory).result()
    except MemoryError as error:
        raise SimulationFailed(Reason.OUT_OF_MEMORY, str(error) or "out of memory") from error
    except QiskitError as error:
        raise SimulationFailed(Reason.SIMULATION_FAILED, error.message) from error
    return experiment_run(index, result.results[0])


def _check_width(circuit: QuantumCircuit, spec: JobSpec) -> None:
    limit = SIMULATORS[spec.backend].max_qubits
    qubits = circuit.num_qubits
    if limit is not None and qubits > limit:
        raise CircuitRefused(
            f"circuit {brief(circuit.name)} has {qubits} qubits, and {spec.backend} takes {limit}; "
            "use fewer qubits, or qasm_simulator"
        )
    needed = _STATES_AT_ONCE * (needed_bytes("statevector", qubits) or 0)
    if not fits_job(needed, spec):
        raise CircuitRefused(
            f"circuit {brief(circuit.name)} needs {in_words(needed)} for {qubits} qubits; {why_not(needed, spec)}"
        )


def _check_letters(circuit: QuantumCircuit, spec: JobSpec) -> None:
    for instruction in circuit.data:
        if instruction.name != "barrier" and circuit.num_qubits + len(instruction.qubits) > _LETTERS:
            raise CircuitRefused(
                f"circuit {brief(circuit.name)} has {brief(instruction.name)} on {len(instruction.qubits)} of "
                f"{circuit.num_qubits} qubits, and {spec.backend} takes {_LETTERS} of both together; "
                "use smaller gates, or qasm_simulator"
            )
