"""What circuits would take, by each simulator, without a job: asked of a process that parses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from aerjob_cli.api.request_checks import checked
from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.cli.answers.estimate import EstimatedCircuit, EstimateOfOne
from aerjob_cli.cli.parsing import ChildFailed, asked
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.errors import EstimateFailed
from aerjob_cli.memory import usable_memory_mb
from aerjob_cli.plugins.discovery import simulator_named, usable_simulators

_TAKES_AT_MOST_S = 30.0
_PROGRAM = "aerjob_cli.cli.estimating_child"
# It has the methods of qasm_simulator and two of other simulators.
_SAID_ALREADY = frozenset({"aer_simulator"})


def estimated(
    circuits: Sequence[CircuitBytes],
    beside: Sequence[CircuitBytes],
    *,
    backend: str | None,
    method: str | None,
    shots: int | None,
    options: Mapping[str, Any],
) -> list[EstimatedCircuit]:
    """Estimate what circuits take, by all simulators and methods or by those that are named.

    ``beside`` is the noise that they run under. Raises ``InputRefused`` for what is no circuit, or an option that
    cannot be, ``UnknownBackend``, and ``EstimateFailed``.
    """
    specs = [
        _spec(name, each, shots=shots, options=options)
        for name in ([backend] if backend is not None else _simulators())
        for each in ([method] if method is not None else simulator_named(name).methods)
    ]
    try:
        wish = {"specs": [asdict(spec) for spec in specs]}
        found = asked(_PROGRAM, [*circuits, *beside], wish, takes_at_most_s=_TAKES_AT_MOST_S)
    except ChildFailed as error:
        raise EstimateFailed(
            f"the circuits cannot be estimated: {error}; give fewer, or name a simulator with --backend"
        ) from error
    return [_circuit(circuit, specs) for circuit in found["circuits"]]


def _simulators() -> list[str]:
    return [
        simulator.name
        for simulator in usable_simulators()
        if not simulator.is_primitive and simulator.name not in _SAID_ALREADY
    ]


def _spec(backend: str, method: str, *, shots: int | None, options: Mapping[str, Any]) -> JobSpec:
    request = checked(Request(circuits=(), backend=backend, shots=shots, options={**options, "method": method}))
    assert request.shots is not None  # a checked request has them
    return JobSpec(
        job_id="",
        backend=backend,
        method=request.method,
        shots=request.shots,
        seed=0,
        memory=request.memory,
        threads=1,
        max_memory_mb=usable_memory_mb(),
        options=dict(request.options),
        counts_required=False,
    )


def _circuit(found: Mapping[str, Any], specs: Sequence[JobSpec]) -> EstimatedCircuit:
    estimates = tuple(
        EstimateOfOne(backend=spec.backend, method=spec.method, **estimate)
        for spec, estimate in zip(specs, found["estimates"], strict=True)
    )
    return EstimatedCircuit(
        name=found["name"],
        qubits=found["qubits"],
        clbits=found["clbits"],
        depth=found["depth"],
        operations=found["operations"],
        estimates=estimates,
    )
