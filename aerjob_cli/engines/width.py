"""Whether a circuit is too wide for its memory, as Aer itself would decide.

A bound from the number of touched qubits settles nearly every circuit. Where it does not, Aer is asked: it
leaves out qubits that no outcome depends on, follows measurements and control flow, and picks the method,
and no rule of ours would stay true to all that. Asked with a limit of 1 MiB it answers in milliseconds what
it would need, and runs (one shot) only what needs no more than that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.engines.memory import fits_job, needed_bytes, precision_of, why_not
from aerjob_cli.engines.survey import Survey
from aerjob_cli.errors import CircuitRefused, brief
from aerjob_cli.memory import in_words
from aerjob_cli.plugins.discovery import simulator_named

_PROBE_MEMORY_MB = 1  # Aer's smallest limit; 0 means all of the machine's
_WORTH_ASKING_BYTES = 16 * 2**20  # what is smaller may be estimated as if all qubits counted
_ASKED = frozenset({"automatic", "statevector", "density_matrix", "stabilizer"})
_STATES = {
    "automatic": "statevector",
    "statevector": "statevector",
    "density_matrix": "density matrix",
    "stabilizer": "stabilizer tableau",
    "unitary": "unitary",
    "superop": "superoperator",
}


@dataclass(frozen=True)
class AsRun:
    """How Aer will simulate a circuit: by which method, and on how many of its qubits."""

    method: str
    qubits: int


def check_width(
    circuit: QuantumCircuit,
    findings: Survey,
    spec: JobSpec,
    simulator: AerSimulator,
    noise: Mapping[str, Any],
    *,
    as_run: Callable[[QuantumCircuit], QuantumCircuit] | None = None,
) -> AsRun:
    """Refuse a circuit, as it would run, that needs more than its job or the machine has; raises ``CircuitRefused``.

    Else tell how it is run. ``noise`` is Aer's option ``noise_model``, or empty. ``as_run`` adds what the circuit lacks
    before Aer is asked.
    """
    _check_number(circuit, findings, spec)
    method, qubits = _method(findings, spec, is_noisy=bool(noise)), findings.active_qubits
    bound = _needed_bytes(method, qubits, spec)
    # Under noise Aer's choice depends on the shots, and it is asked with one.
    is_known = bound is None or bound < _WORTH_ASKING_BYTES or bool(noise)
    if is_known and (bound is None or fits_job(bound, spec)):
        return AsRun(method, qubits)
    if spec.method in _ASKED:
        answer = _ask(circuit if as_run is None else as_run(circuit), simulator, precision_of(spec), noise)
        if answer is None:
            return AsRun(method, 0)
        method, qubits = answer
    needed = _needed_bytes(method, qubits, spec)
    if needed is None or fits_job(needed, spec):
        return AsRun(method, qubits)
    raise CircuitRefused(
        f"circuit {brief(circuit.name)} needs {in_words(needed)} for a {qubits}-qubit {_STATES[method]}; "
        f"{why_not(needed, spec)}"
    )


def runs_on_stabilizer(findings: Survey, spec: JobSpec) -> bool:
    """Tell whether Aer will simulate the circuit by its stabilizer tableau."""
    return spec.method == "stabilizer" or (spec.method == "automatic" and findings.is_clifford)


def _method(findings: Survey, spec: JobSpec, *, is_noisy: bool) -> str:
    """Name the method that Aer takes, as far as a circuit of few qubits goes (its documentation of "automatic")."""
    if spec.method != "automatic":
        return spec.method
    if runs_on_stabilizer(findings, spec):
        return "stabilizer"
    needed = _needed_bytes("density_matrix", findings.active_qubits, spec) or 0
    averages = is_noisy and spec.shots > 2**findings.active_qubits and fits_job(needed, spec)
    return "density_matrix" if averages else "statevector"


def _check_number(circuit: QuantumCircuit, findings: Survey, spec: JobSpec) -> None:
    limit = simulator_named(spec.backend).max_qubits_of(spec.method)
    if limit is not None and findings.active_qubits > limit:
        raise CircuitRefused(
            f"circuit {brief(circuit.name)} has {findings.active_qubits} qubits, and the method {spec.method!r} takes "
            f"{limit}; use fewer qubits, or another method"
        )


def _needed_bytes(method: str, qubits: int, spec: JobSpec) -> int | None:
    needed = needed_bytes(method, qubits, precision_of(spec))
    if needed is None or not spec.gives_state or precision_of(spec) == "double":
        return needed
    # A state of single precision is given as a copy in double precision.
    return needed + (needed_bytes(method, qubits) or 0)


def _ask(
    circuit: QuantumCircuit, simulator: AerSimulator, precision: str, noise: Mapping[str, Any]
) -> tuple[str, int] | None:
    """Ask Aer which method it would use and for how many qubits; None where it needs next to nothing."""
    with _quiet():
        result = simulator.run(
            circuit,
            shots=1,
            seed_simulator=0,
            precision=precision,
            max_parallel_threads=1,
            max_memory_mb=_PROBE_MEMORY_MB,
            **noise,
        ).result()
    if not result.results:  # Aer could not even load it; the run will say why
        return None
    metadata = result.results[0].metadata
    if int(metadata["required_memory_mb"]) <= _PROBE_MEMORY_MB:
        return None
    return str(metadata["method"]), int(metadata["num_qubits"])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Aer's warning about the expected refusal out of the job's stderr."""
    logger = logging.getLogger("qiskit_aer.backends.aerbackend")
    was_disabled = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = was_disabled
