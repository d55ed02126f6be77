"""One experiment's result as bytes, and the way back to Qiskit's ``Result``.

Kept is what the simulation gave: data, shots, seed, header, status, measurement level and how it was
simulated. Times and thread counts are not kept: they differ from run to run, and the bytes of a repeated
experiment must not.

A result that consists of JSON's own types is stored as such (``EXPERIMENT_RESULT``). Any other one is stored as JSON
with markers (``MARKED_EXPERIMENT_RESULT``) and its arrays apart, so that the JSON can be read without NumPy and without
reading the arrays. Qiskit is only needed to give a ``Result`` back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aerjob_cli.codec import strict_json
from aerjob_cli.codec.envelope import EXPERIMENT_RESULT, MARKED_EXPERIMENT_RESULT
from aerjob_cli.codec.strict_json import NotJson
from aerjob_cli.frozen import dataclass

if TYPE_CHECKING:
    from qiskit.result import Result
    from qiskit.result.models import ExperimentResult

    from aerjob_cli.codec.arrays import Array

# ``num_clbits`` is the largest of the batch that the experiment happened to run in.
_PASSING_METADATA = frozenset(
    {
        "time_taken",
        "time_taken_execute",
        "time_taken_parameter_binding",
        "sample_measure_time",
        "parallel_experiments",
        "parallel_shots",
        "parallel_state_update",
        "parallelization",
        "max_memory_mb",
        "num_clbits",
    }
)


class ResultNotStorable(ValueError):
    """A result holds what this version of aerjob cannot store without losing something."""


@dataclass(frozen=True)
class EncodedExperiment:
    """A result as bytes of ``format``, and the arrays that they refer to by name."""

    format: str
    data: bytes
    arrays: tuple[tuple[str, Array], ...] = ()


def encode_experiment(experiment: ExperimentResult) -> EncodedExperiment:
    """Encode one experiment; equal results give equal bytes.

    Raises ``ResultNotStorable`` for a value that would not come back as it was.
    """
    content = experiment.to_dict()
    content["meas_level"] = int(content["meas_level"])
    content.pop("time_taken", None)
    if "metadata" in content:
        content["metadata"] = lasting(content["metadata"])
    try:
        return EncodedExperiment(EXPERIMENT_RESULT, strict_json.dumps(content, "the result"))
    except NotJson:
        return _marked(content)


def lasting(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of metadata what is not the same in each run, also in the parts, as Aer's fusion has it."""
    return {
        key: lasting(value) if isinstance(value, dict) else value
        for key, value in metadata.items()
        if key not in _PASSING_METADATA
    }


def _marked(content: dict[str, Any]) -> EncodedExperiment:
    from aerjob_cli.codec.arrays import ArrayNotStorable
    from aerjob_cli.codec.markers import Marking

    marking = Marking()
    try:
        # What a simulation saved is called by its label alone.
        rest = {key: value for key, value in content.items() if key != "data"}
        marked = {"data": marking.mark(content["data"]), **marking.mark(rest)}
    except (NotJson, ArrayNotStorable) as error:
        raise ResultNotStorable(str(error)) from error
    data = strict_json.dumps(marked, "the result")
    return EncodedExperiment(MARKED_EXPERIMENT_RESULT, data, tuple(marking.arrays.items()))


def decode_experiment(data: bytes) -> dict[str, Any]:
    """Read the JSON of ``encode_experiment``, markers left as they are; raises ``ValueError`` for anything else."""
    content = json.loads(data)
    if not isinstance(content, dict) or not isinstance(content.get("data"), dict):
        raise ValueError("the bytes are not an experiment's result")
    return content


def restore_experiment(format: str, data: bytes, arrays: Mapping[str, Array]) -> dict[str, Any]:
    """Read a stored result with the values that the simulator gave; ``arrays`` are those stored with it.

    Raises ``ValueError`` for what is no result, and for a format that is not known.
    """
    if format not in (EXPERIMENT_RESULT, MARKED_EXPERIMENT_RESULT):
        raise ValueError(f"the format {format!r} is not known")
    content = decode_experiment(data)
    if format == EXPERIMENT_RESULT:
        return content
    from aerjob_cli.codec.markers import restore

    try:
        restored: dict[str, Any] = restore(content, arrays)
    except (TypeError, LookupError, AttributeError) as error:
        raise ValueError(f"the markers of the result are not ours ({error!r})") from error
    return restored


def to_result(
    experiments: Sequence[Mapping[str, Any]],
    *,
    job_id: str,
    backend_name: str,
    backend_version: str,
    date: str,
    header: Mapping[str, Any] | None = None,
) -> Result:
    """Assemble a successful ``Result`` from restored experiments, in their order.

    ``date`` is ISO 8601, ``header`` what the result as a whole is to say of itself. Equal to what the simulator gave,
    but for ids, dates, times, thread metadata and that header.
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
            "header": None if header is None else dict(header),
            "results": contents,
        }
    )
