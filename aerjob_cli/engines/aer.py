"""Runs circuits on Qiskit Aer, in chunks whose results are bit-identical to one run of all circuits.

Importing this module imports all that a job needs, and neither runs a circuit nor starts a thread: the
template does it before it forks.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import qiskit_aer
from qiskit import QuantumCircuit
from qiskit.transpiler import Target
from qiskit_aer import AerSimulator

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.program import EVERYTHING_ONCE, Program
from aerjob_cli.engines.aer_calls import Calls, options_of
from aerjob_cli.engines.aer_gates import gates_of
from aerjob_cli.engines.aer_simulators import simulator_of
from aerjob_cli.engines.base import Estimate, ExperimentRun, Plan
from aerjob_cli.engines.checks import as_run, check_contents, check_numbers
from aerjob_cli.engines.durations import seconds_of
from aerjob_cli.engines.experiments import Experiments
from aerjob_cli.engines.final_state import check_state, with_final_state
from aerjob_cli.engines.footprint import footprint, largest
from aerjob_cli.engines.noise import check_fits, check_is_felt, check_surroundings, gates_under, is_noisy_in_time
from aerjob_cli.engines.saved_data import has_quantum_errors, saved_bytes
from aerjob_cli.engines.small import is_small
from aerjob_cli.engines.survey import Survey, survey
from aerjob_cli.engines.translation import pass_manager, refusal, runnable
from aerjob_cli.engines.width import AsRun, check_width, runs_on_stabilizer
from aerjob_cli.errors import CircuitRefused
from aerjob_cli.memory import MIB
from aerjob_cli.settings import usable_cores

_CHUNK_S = 0.1
_CHUNK_LIMIT = 2000
_SMALL_CIRCUITS = 16  # at most some tenths of a second
_CHUNK_GROWTH = 8  # one quick experiment says little about the next
_CHUNK_STATE_BYTES = 32 * 2**20  # of final states, which stay in memory until the chunk is sent
# Quantum volume, depth 10, on 1 and 2 threads: 16 qubits 66 and 68 ms, 17 97 and 104, 18 221 and 126.
_PARALLEL_QUBITS = 18
_DENSE_EXPONENTS = {"automatic": 1, "statevector": 1, "density_matrix": 2, "unitary": 2, "superop": 4}


class AerEngine:
    """The engine of Qiskit Aer; see ``base.Engine`` for what its methods promise."""

    def __init__(self) -> None:
        self._calls = Calls()

    @property
    def version(self) -> str:
        return f"qiskit-aer {qiskit_aer.__version__}"

    def target(self, method: str) -> Target:
        return gates_of(method).target

    def shares_calls(self, program: Program, spec: JobSpec) -> bool:
        is_plain = program.surroundings is None and program.sweep is EVERYTHING_ONCE
        return is_plain and all(is_small(circuit, spec) for circuit in program.circuits)

    def check(self, program: Program, spec: JobSpec) -> Plan:
        widest = 0
        estimated_bytes: int | None = 0
        for look in _looks(program, spec):
            widest = max(widest, look.dense)
            estimated_bytes = largest(estimated_bytes, look.estimated_bytes)
        # In whole MiB: what is alike is written together.
        whole = None if estimated_bytes is None else -(-estimated_bytes // MIB) * MIB
        return Plan(program.experiments_total, threads_for(widest), whole)

    def estimates(self, program: Program, spec: JobSpec) -> Iterator[Estimate]:
        for look in _looks(program, spec):
            threads = threads_for(look.dense)
            seconds = seconds_of(look.circuit, spec, look.way, threads=threads, is_noisy=look.is_noisy)
            yield Estimate(look.way.method, threads, look.estimated_bytes, seconds)

    def run(self, program: Program, spec: JobSpec, missing: Sequence[tuple[int, int]]) -> Iterator[list[ExperimentRun]]:
        experiments = _experiments(program, spec)
        options = {**options_of(spec), **noise_of(program)}
        size = _first_chunk(program, spec)
        for start, stop in missing:
            position = start
            while position < stop:
                began = time.perf_counter()
                chunk = _prepared(experiments, range(position, min(position + size, stop)), program, spec)
                runs, failure = self._calls.run(chunk, spec, position, options)
                taken_s = time.perf_counter() - began
                if runs:
                    yield runs
                del runs  # final states: those of the next circuits need the room
                if failure is not None:
                    raise failure
                position += len(chunk)
                fitting = int(len(chunk) * _CHUNK_S / taken_s)
                size = max(1, min(fitting, size * _CHUNK_GROWTH, _CHUNK_LIMIT))

    def executed(self, program: Program, spec: JobSpec, positions: Iterable[int]) -> Iterator[QuantumCircuit]:
        experiments = _experiments(program, spec)
        for position in positions:
            yield from _prepared(experiments, [position], program, spec)


@dataclass(frozen=True)
class _Look:
    """A circuit as it will run, and what was found about that. ``dense`` is as ``dense_qubits`` gives it."""

    circuit: QuantumCircuit
    way: AsRun
    dense: int
    is_noisy: bool
    estimated_bytes: int | None


def _looks(program: Program, spec: JobSpec) -> Iterator[_Look]:
    """Look at each circuit of a program, at its first point; raises ``CircuitRefused`` for one that cannot run."""
    simulator = simulator_of(spec.method)
    check_state(spec)
    check_device(spec, simulator)
    surroundings = program.surroundings
    if surroundings is not None:
        check_surroundings(surroundings, spec)
    experiments = _experiments(program, spec)
    experiments.check_names()
    names: set[str] = set()
    for place in range(len(program.circuits)):
        circuit = experiments.first_of(place)
        findings = survey(circuit)
        check_contents(circuit, findings, spec)
        if surroundings is not None:
            check_fits(circuit, surroundings)
        translated = _runnable(circuit, program, spec)
        if translated is not circuit:
            findings = survey(translated)
            check_numbers(translated, findings)
        for other in experiments.others_of(place):
            check_numbers(other, survey(other))
        if spec.method == "stabilizer" and not findings.is_clifford:
            raise refusal(
                circuit, gates_of(spec.method), lambda part: survey(_runnable(part, program, spec)).is_clifford
            )
        names |= findings.names
        prepared = with_final_state(translated, spec)
        if prepared is not translated:
            findings.active.update(prepared.qubits)
        if surroundings is not None and spec.method == "automatic":
            findings.is_clifford = False  # the noise decides as well, and only Aer knows how
        way = check_width(prepared, findings, spec, simulator, noise_of(program))
        dense, is_noisy = dense_qubits(findings, spec), surroundings is not None
        needed = footprint(prepared, spec, way, threads=threads_for(dense), is_noisy=is_noisy)
        yield _Look(prepared, way, dense, is_noisy, needed)
    if surroundings is not None:
        check_is_felt(surroundings, names, program.circuits)


def _first_chunk(program: Program, spec: JobSpec) -> int:
    """Say how many circuits to run before anything is known of the time that they take."""
    small = takewhile(lambda circuit: is_small(circuit, spec), program.circuits[:_SMALL_CIRCUITS])
    return max(1, sum(1 for _ in small))


def preload() -> None:
    """Build what all usual jobs share, before a template forks; no circuit runs, no thread starts."""
    pass_manager(gates_of("automatic"), 0)
    simulator_of("automatic")


def _experiments(program: Program, spec: JobSpec) -> Experiments:
    circuits = as_run(program.circuits, spec)
    return Experiments(circuits, program.sweep, lambda circuit: _runnable(circuit, program, spec))


def _runnable(circuit: QuantumCircuit, program: Program, spec: JobSpec) -> QuantumCircuit:
    gates = gates_under(program.surroundings, spec.method)
    return runnable(circuit, gates, spec.optimization_level, may_translate=spec.may_translate)


def noise_of(program: Program) -> dict[str, Any]:
    """Give Aer's option for the noise of a job, or none."""
    return {} if program.surroundings is None else {"noise_model": program.surroundings.noise_model}


def _prepared(
    experiments: Experiments, positions: Iterable[int], program: Program, spec: JobSpec
) -> list[QuantumCircuit]:
    """Give the first of the circuits, ready for Aer: one at least, and no more than what they save has room.

    A circuit with a quantum error in it is run alone: of all errors of a call Aer makes one noise model, by which it
    chooses the method of each circuit.
    """
    chunk: list[QuantumCircuit] = []
    size_bytes = 0
    for position in positions:
        ready = with_final_state(experiments.ready(position), spec)
        size_bytes += saved_bytes(ready, spec)
        is_alone = has_quantum_errors(ready) or is_noisy_in_time(program.surroundings, ready)
        if chunk and (is_alone or size_bytes > _CHUNK_STATE_BYTES):
            break
        chunk.append(ready)
        if is_alone:
            break
    return chunk


def dense_qubits(findings: Survey, spec: JobSpec) -> int:
    """Give the n of the 2^n numbers that a circuit is simulated with, 0 where these are not what takes the time."""
    if runs_on_stabilizer(findings, spec):
        return 0
    return findings.active_qubits * _DENSE_EXPONENTS.get(spec.method, 0)


def threads_for(widest: int) -> int:
    """Say how many threads a job has whose widest circuit is simulated with 2^widest numbers."""
    return usable_cores() if widest >= _PARALLEL_QUBITS else 1


def check_device(spec: JobSpec, simulator: AerSimulator) -> None:
    """Refuse a device that the installed Aer has not; raises ``CircuitRefused``."""
    device = spec.options.get("device")
    available = simulator.available_devices()
    if device is not None and device not in available:
        raise CircuitRefused(
            f"the option 'device' is {device!r}, and the installed Aer has {', '.join(available)} only; "
            "leave it out, or install qiskit-aer-gpu"
        )
