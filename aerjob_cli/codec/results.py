"""One experiment's result as bytes, and the way back to Qiskit's ``Result``.

Kept is what the simulation gave: data, shots, seed, header, status, measurement level and how it was
simulated. Times and thread counts are not kept: they differ from run to run, and the bytes of a repeated
experiment must not. Qiskit is only needed to give a ``Result`` back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aerjob_cli.codec import strict_json
from aerjob_cli.codec.strict_json import NotJson

if TYPE_CHECKING:
    from qiskit.result import Result
    from qiskit.result.models import ExperimentResult

_DATA = frozenset({"counts", "memory"})
# ``num_clbits`` is the largest of the batch that the experiment happened to run in.
_PASSING_METADATA = frozenset(
    {
        "time_taken",
        "sample_measure_time",
        "parallel_shots",
        "parallel_state_update",
        "max_memory_mb",
        "num_clbits",
    }
)


class ResultNotStorable(ValueError):
    """A result holds what this version of aerjob cannot store without losing something."""


def encode_experiment(experiment: ExperimentResult) -> bytes:
    """Encode one experiment as ``EXPERIMENT_RESULT``; equal results give equal bytes.

    Raises ``ResultNotStorable`` for data other than counts and memory, and for what JSON would change.
    """
    content = experiment.to_dict()
    surplus = sorted(set(content["data"]) - _DATA)
    if surplus:
        raise ResultNotStorable(f"the result holds {', '.join(surplus)}; only counts and memory can be stored yet")
    content["meas_level"] = int(content["meas_level"])
    content.pop("time_taken", None)
    content["metadata"] = {
        key: value for key, value in content.get("metadata", {}).items() if key not in _PASSING_METADATA
    }
    try:
        return strict_json.dumps(content, "the result")
    except NotJson as error:
        raise ResultNotStorable(str(error)) from error


def decode_experiment(data: bytes) -> dict[str, Any]:
    """Read what ``encode_experiment`` wrote; raises ``ValueError`` for anything else."""
    content = json.loads(data)
    if not isinstance(content, dict) or not isinstance(content.get("data"), dict):
        raise ValueError("the bytes are not an experiment's result")
    return content


def to_result(
    experiments: Sequence[Mapping[str, Any]],
    *,
    job_id: str,
    backend_name: str,
    backend_version: str,
    date: str,
) -> Result:
    """Assemble a successful ``Result`` from decoded experiments, in their order.

    ``date`` is ISO 8601. Equal to what the simulator gave, but for ids, dates, times and thread metadata.
    """
    from qiskit.result import Result
    from qiskit.result.models import MeasLevel

    # ``from_dict`` takes what it is given apart, so it is given a copy; and Aer gives the level as an enum.
    contents = [{**experiment, "meas_level": MeasLevel(experiment["meas_level"])} for experiment in experiments]
    return Result.from_dict(
        {
            "backend_name": backend_name,
            "backend_version": backend_version,
            "qobj_id": "",  # as Aer gives it since Qiskit has no Qobj
            "job_id": job_id,
            "success": True,
            "status": "COMPLETED",
            "date": date,
            "header": None,
            "results": contents,
        }
    )
