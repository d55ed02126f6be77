"""A job's stored bytes as Qiskit's objects: its result, its circuits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, TypeVar

from qiskit import QuantumCircuit
from qiskit.primitives import PrimitiveResult, PubResult
from qiskit.result import Result

from aerjob_cli.api.client import Client, ExperimentBytes
from aerjob_cli.api.job_errors import NotValidated, StoredBytesDamaged
from aerjob_cli.catalog import SIMULATORS
from aerjob_cli.codec.arrays import Array, decode_npy
from aerjob_cli.codec.envelope import PUB_RESULT
from aerjob_cli.codec.program import decode_program
from aerjob_cli.codec.pub_results import restore_pub_result
from aerjob_cli.codec.results import restore_experiment, to_result
from aerjob_cli.engines.registry import engine_of
from aerjob_cli.executors.specs import spec_of
from aerjob_cli.memory import usable_memory_mb
from aerjob_cli.plugins.discovery import simulator_of_job
from aerjob_cli.store.records import JobRecord

# The form of what Aer's and Qiskit's primitives give as a whole.
_RESULT_VERSION = 2

Restored = TypeVar("Restored")


def result_of(client: Client, record: JobRecord) -> Result:
    """Read the result of a job that is DONE, equal to what the simulator gave.

    Raises ``PayloadDamaged`` rather than give a result that is not all there, and ``JobNotFound`` when the job was
    deleted.
    """
    restore = _experiment if record.reused_from is None else _reused_experiment
    result = to_result(
        [_restored(client, item, record, restore) for item in _complete(client, record)],
        job_id=record.job_id,
        backend_name=record.backend,
        backend_version=record.engine or "",
        date=(record.finished_at or record.submitted_at).isoformat(),
        # As what was in the header of a Qobj was in that of its result.
        header=deepcopy(dict(record.metadata)) or None,
    )
    if (simulator := SIMULATORS.get(record.backend)) is not None and simulator.always_gives_state:
        # Aer is imported for results that have its states anyway.
        from aerjob_cli.api.array_like import make_array_like

        make_array_like(result)
    return result


def primitive_result_of(client: Client, record: JobRecord) -> PrimitiveResult[PubResult]:
    """Read the result of a primitive's job that is DONE, a ``PubResult`` for each PUB; raises as ``result_of``."""
    pub_results = [_restored(client, item, record, _pub_result) for item in _complete(client, record)]
    return PrimitiveResult(pub_results, metadata={"version": _RESULT_VERSION})


def _pub_result(item: ExperimentBytes, arrays: Mapping[str, Array]) -> PubResult:
    if item.format != PUB_RESULT:
        raise ValueError(f"the format {item.format!r} is not that of a PUB's result")
    return restore_pub_result(item.data, arrays)


def _experiment(item: ExperimentBytes, arrays: Mapping[str, Array]) -> dict[str, Any]:
    return restore_experiment(item.format, item.data, arrays)


def _reused_experiment(item: ExperimentBytes, arrays: Mapping[str, Array]) -> dict[str, Any]:
    """Call it as the circuit is called of which it is asked for now."""
    restored = _experiment(item, arrays)
    return {**restored, "header": {**(restored.get("header") or {}), "name": item.name}}


def _complete(client: Client, record: JobRecord) -> list[ExperimentBytes]:
    """Read what is stored of a result, all of it; raises ``StoredBytesDamaged`` or ``JobNotFound``."""
    stored = list(client.results(record))
    if [item.position for item in stored] != list(range(record.experiments_total or 0)):
        client.find(record.job_id)
        raise StoredBytesDamaged(
            f"job {record.job_id} has {len(stored)} of {record.experiments_total} results in the store; "
            "restore it from a backup, or run the job again",
            job_id=record.job_id,
        )
    return stored


def _restored(
    client: Client,
    item: ExperimentBytes,
    record: JobRecord,
    restore: Callable[[ExperimentBytes, Mapping[str, Array]], Restored],
) -> Restored:
    try:
        return restore(item, {name: decode_npy(data) for name, data in client.arrays(record, item)})
    except ValueError as error:
        raise StoredBytesDamaged(
            f"result {item.position} of job {record.job_id} cannot be read by this aerjob ({error}); use the version "
            "that stored it",
            job_id=record.job_id,
        ) from error


def executed_of(client: Client, record: JobRecord) -> list[QuantumCircuit]:
    """Give the circuit of each experiment as the simulator gets it, with the installed Qiskit; raises as below."""
    _require_validated(record)
    program = decode_program((item.format, item.data, item.name) for item in client.payloads(record))
    spec = spec_of(record, max_memory_mb=usable_memory_mb())
    engine = engine_of(simulator_of_job(record.backend))
    return list(engine.executed(program, spec, range(program.experiments_total)))


def circuits_of(client: Client, record: JobRecord) -> list[QuantumCircuit]:
    """Read the circuits that a job was submitted with, in the order of its experiments.

    Raises ``NotValidated`` for those that no executor has accepted (a parser may crash on them, and here it would
    take the caller with it), and ``PayloadDamaged``.
    """
    _require_validated(record)
    payloads = ((stored.format, stored.data, stored.name) for stored in client.circuits(record))
    return list(decode_program(payloads).circuits)


def _require_validated(record: JobRecord) -> None:
    if record.experiments_total is None:
        raise NotValidated(
            f"the circuits of job {record.job_id}, which is {record.status}, have not been found valid, so they are "
            "not read here; see its error_message(), or wait until it is QUEUED",
            job_id=record.job_id,
            status=str(record.status),
        )
