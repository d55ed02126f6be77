"""A simulator of the catalog as Qiskit knows backends; what it runs is durable before ``run()`` returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2, Options
from qiskit.transpiler import Target

from aerjob_cli.api.backend_errors import RunRefused, RunTypeRefused, raised_as_backend_errors
from aerjob_cli.api.client import CircuitBytes, Client, Plan, Request
from aerjob_cli.api.request_checks import checked
from aerjob_cli.api.run_inputs import device_of, payloads_of, surroundings_of, sweep_of
from aerjob_cli.catalog import Simulator
from aerjob_cli.codec.circuits import encode_circuits
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.noise_models import Surroundings
from aerjob_cli.codec.options import check_options, options_of
from aerjob_cli.codec.program import Program
from aerjob_cli.engines.base import Engine
from aerjob_cli.engines.registry import engine_named
from aerjob_cli.errors import brief
from aerjob_cli.memory import usable_memory_mb
from aerjob_cli.settings import CIRCUITS_LIMIT
from aerjob_cli.store import forks
from aerjob_cli.version import __version__

if TYPE_CHECKING:
    from aerjob_cli.api.job import BasicAerJob
    from aerjob_cli.api.provider import BasicAerProvider

# A payload has a limit; circuits in groups stay below it, and only one that is huge itself does not.
_CIRCUITS_PER_PAYLOAD = 500
# Options of ``run()`` that are payloads of a job.
_GIVEN_BY_THEMSELVES = ("noise_model", "parameter_binds")


class BasicAerBackend(BackendV2):
    """One simulator of the catalog."""

    _provider: BasicAerProvider

    def __init__(self, provider: BasicAerProvider, simulator: Simulator) -> None:
        super().__init__(
            provider=provider,
            name=simulator.name,
            description=simulator.description,
            backend_version=__version__,
        )
        self._simulator = simulator
        names = dict.fromkeys((*options_of(simulator.name), *_GIVEN_BY_THEMSELVES))
        self._options = Options(**{**names, "shots": simulator.default_shots, "memory": False})
        self._device: Surroundings | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @property
    def client(self) -> Client:
        """The client of the store that the jobs go to."""
        return self._provider.client

    @property
    def target(self) -> Target:
        """The gates that the simulator runs, on any number of qubits (``num_qubits`` None), or those of its device."""
        if self._device is not None:
            with forks.none():
                return (
                    import_module("aerjob_cli.engines.noise").gates_under(self._device, self._simulator.method).target
                )
        return self._engine().target(self._simulator.method)

    def under(self, device: BackendV2) -> BasicAerBackend:
        """Give this simulator with the noise, the gates and the couplings of a device; raises ``RunTypeRefused``."""
        other = type(self)(self._provider, self._simulator)
        with forks.none():
            other._device = device_of(device)
        other.description = f"{self.description}, as {device.name}"
        return other

    @property
    def max_circuits(self) -> None:
        """No limit; a job may have as many circuits as the store takes."""
        return

    @classmethod
    def _default_options(cls) -> Options:
        # What there is depends on the simulator; the constructor fills it in.
        return Options()

    def set_options(self, **fields: Any) -> None:
        """Set options for the jobs to come.

        Raises ``AttributeError`` for an unknown name, as every backend does, and ``RunRefused`` for a bad value.
        """
        for field in fields:
            if field not in self.options:
                raise AttributeError(f"Options field {field} is not valid for this backend")
        if fields.get("noise_model") is not None:
            surroundings_of(fields["noise_model"])
        with raised_as_backend_errors():
            check_options(_checkable(fields), self._simulator.name)
        super().set_options(**fields)

    def run(
        self,
        run_input: QuantumCircuit | Iterable[QuantumCircuit],
        *,
        job_name: str | None = None,
        tags: Iterable[str] = (),
        metadata: Mapping[str, Any] | None = None,
        priority: int = 0,
        time_limit_s: float | None = None,
        max_memory_mb: int | None = None,
        max_attempts: int = 3,
        idempotency_key: str | None = None,
        **options: Any,
    ) -> BasicAerJob:
        """Check the circuits, store them as one job and return it; a worker is woken to run it.

        ``options`` are those of ``AerSimulator.run`` (``shots``, ``seed_simulator``, ``memory``, ``noise_model``,
        ``parameter_binds``, …) and come before those of ``set_options``. A job with a higher ``priority`` starts
        first; ``time_limit_s`` is how long it may run, ``max_memory_mb`` (MiB) how much memory it may take. A repeated
        ``idempotency_key`` gives the first job
        again. Raises ``RunRefused`` (a ``QiskitError``) when nothing could run, before anything is stored.
        """
        circuits = _listed(run_input)
        chosen = {**dict(self.options.items()), **{key: value for key, value in options.items() if value is not None}}
        with raised_as_backend_errors():
            program = self._program(circuits, chosen.pop("noise_model"), chosen.pop("parameter_binds"))
            request = checked(
                Request(
                    circuits=(),
                    backend=self._simulator.name,
                    shots=chosen.pop("shots"),
                    seed=chosen.pop("seed_simulator"),
                    memory=chosen.pop("memory"),
                    options=chosen,
                    metadata={} if metadata is None else metadata,
                    name=job_name,
                    tags=tags,
                    priority=priority,
                    time_limit_s=time_limit_s,
                    max_memory_mb=max_memory_mb,
                    max_attempts=max_attempts,
                    idempotency_key=idempotency_key,
                )
            )
            plan = self._plan(program, request)
            stored = replace(request, circuits=_encoded(circuits), beside=payloads_of(program), plan=plan)
            (record,) = self.client.submit([stored])
        return self._provider.job_of(record, backend=self)

    def _engine(self) -> Engine:
        # What a thread is importing when the process forks is locked in the child for good.
        with forks.none():
            import_module("qiskit.qpy")
            return engine_named(self._simulator.engine)

    def _program(self, circuits: list[QuantumCircuit], noise_model: object, parameter_binds: object) -> Program:
        surroundings = self._device
        if noise_model is not None:
            given = surroundings_of(noise_model)
            if given is None or self._device is None:
                surroundings = given
            else:
                surroundings = replace(self._device, noise_model=given.noise_model)
        program = Program(circuits, surroundings)
        if parameter_binds is not None:
            program = replace(program, sweep=sweep_of(parameter_binds, circuits))
        if program.experiments_total > CIRCUITS_LIMIT:
            raise RunRefused(
                f"run() got {program.experiments_total} experiments; a job may have {CIRCUITS_LIMIT}, so submit several"
            )
        return program

    def _plan(self, program: Program, request: Request) -> Plan:
        assert request.shots is not None  # a checked request has them
        spec = JobSpec(
            job_id="",
            backend=self._simulator.name,
            method=request.method,
            shots=request.shots,
            seed=0,
            memory=request.memory,
            threads=1,
            max_memory_mb=request.max_memory_mb or usable_memory_mb(),
            options=dict(request.options),
            counts_required=False,
        )
        found = self._engine().check(program, spec)
        return Plan(found.experiments_total, found.threads)


def _listed(run_input: QuantumCircuit | Iterable[QuantumCircuit]) -> list[QuantumCircuit]:
    if isinstance(run_input, QuantumCircuit):
        run_input = [run_input]
    elif isinstance(run_input, (str, bytes)) or not isinstance(run_input, Iterable):
        raise RunTypeRefused(
            f"run() got something of type {type(run_input).__name__}; it takes a QuantumCircuit or a list of them"
        )
    circuits = list(run_input)
    for position, circuit in enumerate(circuits):
        if not isinstance(circuit, QuantumCircuit):
            raise RunTypeRefused(
                f"item {position} of what run() got is of type {type(circuit).__name__}; it takes QuantumCircuits"
            )
        if circuit.num_qubits == 0:
            raise RunRefused(f"circuit {brief(circuit.name)} has no qubits, so that there is nothing to run")
    if not circuits:
        raise RunRefused("run() got no circuits; a job needs at least one")
    return circuits


def _checkable(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in _GIVEN_BY_THEMSELVES}


def _encoded(circuits: list[QuantumCircuit]) -> tuple[CircuitBytes, ...]:
    groups = (
        circuits[start : start + _CIRCUITS_PER_PAYLOAD] for start in range(0, len(circuits), _CIRCUITS_PER_PAYLOAD)
    )
    return tuple(CircuitBytes(group[0].name, *encode_circuits(group)) for group in groups)
