"""A result as the JSON of Qiskit's ``Result.to_dict()``, for ``Result.from_dict(json.load(file))``.

Numbers and arrays are written as ``qiskit.result.postprocess`` reads them: a complex number as [real, imaginary], an
outcome in hex. Qiskit is imported when it is called.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from aerjob_cli.api.client import Client
from aerjob_cli.cli.outcomes import damage_told, read_outcomes
from aerjob_cli.codec.envelope import PUB_RESULT
from aerjob_cli.codec.results import restore_experiment, to_result
from aerjob_cli.errors import UsageError
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord

if TYPE_CHECKING:
    from aerjob_cli.codec.arrays import Array


def qiskit_json(client: Client, job: JobRecord, *, indices: Collection[int] | None) -> bytes:
    """Write the result of a job, or of some of its experiments; raises ``PayloadDamaged`` and ``JobNotFound``.

    ``UsageError`` for the job of a primitive.
    """
    # Looks whether all of it is there.
    positions = [outcome.index for outcome in read_outcomes(client, job, indices=indices)]
    stored = list(client.results(job, positions=positions))
    if any(item.format == PUB_RESULT for item in stored):
        raise UsageError(
            f"job {job.job_id} is of a primitive, whose result Qiskit has no JSON for; use --format json, or "
            "retrieve_job(id).result() in Python"
        )
    from aerjob_cli.codec.arrays import decode_npy

    with damage_told(client, job):
        experiments = [
            restore_experiment(
                item.format, item.data, {array.name: decode_npy(array.load_apart()) for array in item.arrays}
            )
            for item in stored
        ]
        content = to_result(
            experiments,
            job_id=job.job_id,
            backend_name=job.backend,
            backend_version=job.engine or "",
            date=(job.finished_at or job.submitted_at).isoformat(),
            header=job.metadata or None,
        ).to_dict()
        if job.status is not Status.DONE:
            content |= {"success": False, "status": "PARTIAL COMPLETED"}
        return (json.dumps(_json(content)) + "\n").encode()


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        # The outcomes of a distribution are numbers; those of counts are in hex.
        return {hex(key) if isinstance(key, int) else str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, complex):
        return [value.real, value.imag]
    if value is None or isinstance(value, str | int | float):
        return value
    return _object(value)


def _object(value: Any) -> Any:
    import numpy as np

    if isinstance(value, np.ndarray | np.generic):
        return _array(np.asarray(value))
    # A StabilizerState has a Clifford; this is the form that Clifford.from_dict reads.
    value = getattr(value, "clifford", value)
    if hasattr(value, "to_labels"):
        return {"stabilizer": value.to_labels(mode="S"), "destabilizer": value.to_labels(mode="D")}
    if isinstance(getattr(value, "data", None), np.ndarray):
        return _array(value.data)
    return str(value)


def _array(array: Array) -> Any:
    import numpy as np

    if array.dtype.kind in "SV":
        return str(array.tolist())
    return (np.stack((array.real, array.imag), axis=-1) if np.iscomplexobj(array) else array).tolist()
