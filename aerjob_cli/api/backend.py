"""A simulator of the catalog as Qiskit knows backends; what it runs is durable before ``run()`` returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit
from qiskit.providers import JobV1

from aerjob_cli.api.backend_errors import RunRefused, RunTypeRefused, raised_as_backend_errors
from aerjob_cli.api.described_backend import DescribedBackend
from aerjob_cli.api.initial_states import begun
from aerjob_cli.api.planning import plan_of
from aerjob_cli.api.request_checks import checked
from aerjob_cli.api.requests import CircuitBytes, Plan, Request
from aerjob_cli.api.run_inputs import payloads_of, surroundings_of, sweep_of
from aerjob_cli.codec.circuits import encode_circuits
from aerjob_cli.codec.fingerprints import fingerprint
from aerjob_cli.codec.noise_models import Surroundings
from aerjob_cli.codec.program import Program
from aerjob_cli.errors import brief
from aerjob_cli.settings import CIRCUITS_LIMIT, PAYLOAD_LIMIT_BYTES

if TYPE_CHECKING:
    from aerjob_cli.api.job import BasicAerJob

# A payload has a limit; circuits in groups stay below it, and only one that is huge itself does not.
_CIRCUITS_PER_PAYLOAD = 500
_REQUEST_FIELDS = (
    *("tags", "group", "priority", "time_limit_s", "max_memory_mb", "max_attempts", "idempotency_key"),
    *("after", "after_ok", "after_any", "hold", "begin", "reuse", "on_end"),
)


class BasicAerBackend(DescribedBackend):
    """One simulator of the catalog."""

    def run(
        self,
        run_input: QuantumCircuit | Iterable[QuantumCircuit],
        *,
        job_name: str | None = None,
        tags: Iterable[str] = (),
        group: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        priority: int = 0,
        time_limit_s: float | None = None,
        max_memory_mb: int | None = None,
        max_attempts: int = 3,
        idempotency_key: str | None = None,
        after: Iterable[JobV1 | str] = (),
        after_ok: Iterable[JobV1 | str] = (),
        after_any: Iterable[JobV1 | str] = (),
        hold: bool = False,
        begin: datetime | None = None,
        reuse: bool = False,
        on_end: str | None = None,
        **options: Any,
    ) -> BasicAerJob:
        """Check the circuits, store them as one job and return it; a worker is woken to run it.

        ``options`` are those of ``AerSimulator.run`` (``shots``, ``seed_simulator``, ``memory``, ``noise_model``,
        ``parameter_binds``, …) and come before those of ``set_options``; BasicAer's ``initial_statevector`` and
        ``initial_unitary`` are there, too. Jobs of one ``group`` are looked at and changed together (``aerjob status
        --group``). A job with a higher ``priority`` starts first; ``time_limit_s`` is how long it may run,
        ``max_memory_mb`` (MiB) how much memory it may take. A repeated ``idempotency_key`` gives the first job again.

        It starts when the jobs of ``after`` have ended, however, those of ``after_ok`` are DONE, and one of
        ``after_any`` is; when that can no longer be, it ends in ERROR with DEPENDENCY_FAILED. With ``hold`` it waits
        for ``release()``, and it does not start before the time ``begin``.

        With ``reuse`` (and a ``seed_simulator``) the stored result of an earlier job will do whose circuits, options,
        seed, noise and versions are the same, and that was run with ``reuse``, too: the job is DONE at once, and its
        ``reused_from`` has the id of the earlier one.

        ``on_end`` is a command for a shell, up to 4096 characters: the worker runs it once when the job has ended, in
        the folder of this process, with ``AERJOB_JOB_ID`` and ``AERJOB_JOB_STATUS`` in its environment.

        Raises ``RunRefused`` (a ``BasicAerError``) when nothing could run, before anything is stored.
        """
        return self.run_many(
            [run_input],
            job_name=job_name,
            tags=tags,
            group=group,
            metadata=metadata,
            priority=priority,
            time_limit_s=time_limit_s,
            max_memory_mb=max_memory_mb,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            after=after,
            after_ok=after_ok,
            after_any=after_any,
            hold=hold,
            begin=begin,
            reuse=reuse,
            on_end=on_end,
            **options,
        )[0]

    def run_many(
        self,
        run_inputs: Iterable[QuantumCircuit | Iterable[QuantumCircuit]],
        *,
        each: Iterable[Mapping[str, Any]] | None = None,
        **options: Any,
    ) -> list[BasicAerJob]:
        """Store one job for each of ``run_inputs``, all or none in one transaction, and return them in that order.

        ``options`` are those of ``run()`` and hold for every job; ``each`` has further ones, a dictionary for each job
        in turn. Raises ``RunRefused`` for the first that could not run; then none is stored.
        """
        inputs = list(run_inputs)
        own = list(repeat({}, len(inputs)) if each is None else each)
        if len(own) != len(inputs):
            raise RunRefused(f"there are {len(inputs)} jobs, and each= has options for {len(own)}; give one for each")
        with raised_as_backend_errors():
            requests = [
                self._request(run_input, **{**options, **more}) for run_input, more in zip(inputs, own, strict=True)
            ]
            records = self.client.submit(requests) if requests else []
        return [self._provider.job_of(record, backend=self) for record in records]

    def _request(
        self,
        run_input: QuantumCircuit | Iterable[QuantumCircuit],
        *,
        job_name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Request:
        circuits = self._listed(run_input)
        fields = {name: options.pop(name) for name in _REQUEST_FIELDS if name in options}
        # What is None is left to the simulator, as most of them are.
        given = chain(vars(self.options).items(), options.items())
        chosen = {name: value for name, value in given if value is not None}
        circuits = begun(circuits, {name: chosen.pop(name, None) for name in self._state_options})
        program = self._program(circuits, chosen.pop("noise_model", None), chosen.pop("parameter_binds", None))
        request = checked(
            Request(
                circuits=(),
                backend=self._simulator.name,
                shots=chosen.pop("shots", None),
                seed=chosen.pop("seed_simulator", None),
                memory=chosen.pop("memory", False),
                options=chosen,
                metadata={} if metadata is None else metadata,
                name=job_name,
                **fields,
            )
        )
        plan = self._plan(program, request)
        return replace(
            request,
            circuits=_encoded(circuits, is_compared=request.reuse or request.idempotency_key is not None),
            experiment_names=_experiment_names(program) if request.reuse else None,
            beside=payloads_of(program),
            plan=plan,
        )

    def surroundings(self, noise_model: object) -> Surroundings | None:
        """Give what circuits run under: the device, if it is in the place of one, and the noise model, if any."""
        if noise_model is None:
            return self._device
        found = surroundings_of(noise_model)
        if found is None or self._device is None:
            return found
        return replace(self._device, noise_model=found.noise_model)

    def _program(self, circuits: list[QuantumCircuit], noise_model: object, parameter_binds: object) -> Program:
        program = Program(circuits, self.surroundings(noise_model))
        if parameter_binds is not None:
            program = replace(program, sweep=sweep_of(parameter_binds, circuits))
        if program.experiments_total > CIRCUITS_LIMIT:
            raise RunRefused(
                f"run() got {program.experiments_total} experiments; a job may have {CIRCUITS_LIMIT}, so submit several"
            )
        return program

    def _plan(self, program: Program, request: Request) -> Plan:
        return plan_of(program, request, self._engine())

    def _listed(self, run_input: QuantumCircuit | Iterable[QuantumCircuit]) -> list[QuantumCircuit]:
        circuits = _listed(run_input)
        limit = self._max_qubits
        for circuit in circuits:
            if limit is not None and circuit.num_qubits > limit:
                raise RunRefused(
                    f"circuit {brief(circuit.name)} has {circuit.num_qubits} qubits, and this backend takes {limit} "
                    "since set_max_qubits(); use fewer qubits, or raise the limit"
                )
        return circuits


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


def _experiment_names(program: Program) -> tuple[str, ...]:
    """Give what the experiments are called: circuits without a name are numbered by Qiskit, each time otherwise."""
    points = program.sweep.over(len(program.circuits))
    return tuple(program.circuits[points.circuit_of(place)].name for place in range(program.experiments_total))


def _encoded(circuits: list[QuantumCircuit], *, is_compared: bool) -> tuple[CircuitBytes, ...]:
    """Write circuits in groups; ``is_compared`` says that they may be handed in again by another process."""
    groups = (
        circuits[start : start + _CIRCUITS_PER_PAYLOAD] for start in range(0, len(circuits), _CIRCUITS_PER_PAYLOAD)
    )
    return tuple(chain.from_iterable(_encoded_group(group, is_compared=is_compared) for group in groups))


def _encoded_group(group: list[QuantumCircuit], *, is_compared: bool) -> tuple[CircuitBytes, ...]:
    format, data = encode_circuits(group)
    if len(data) > PAYLOAD_LIMIT_BYTES and len(group) > 1:
        middle = len(group) // 2
        return (
            *_encoded_group(group[:middle], is_compared=is_compared),
            *_encoded_group(group[middle:], is_compared=is_compared),
        )
    return (CircuitBytes(group[0].name, format, data, fingerprint(group) if is_compared else None),)
