"""The result of a PUB of Qiskit's primitives as bytes, and the way back: fields, shapes, dtypes, bits and metadata.

Kept apart from the JSON are the arrays, which are called by the names of the fields (``evs``, a register's). Times and
thread counts are not kept, as in every result.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aerjob_cli.codec import strict_json
from aerjob_cli.codec.envelope import PUB_RESULT
from aerjob_cli.codec.results import EncodedExperiment, ResultNotStorable, lasting
from aerjob_cli.codec.strict_json import NotJson

if TYPE_CHECKING:
    from qiskit.primitives import PubResult

    from aerjob_cli.codec.arrays import Array

_SAMPLES = "SamplerPubResult"
_KINDS = ("PubResult", _SAMPLES)
_METADATA = "metadata"


def encode_pub_result(result: PubResult, *, name: str, shots: int, seed: int) -> EncodedExperiment:
    """Encode the result of one PUB; ``name`` is that of its circuit. Equal results give equal bytes.

    Raises ``ResultNotStorable`` for a value that would not come back as it was.
    """
    from aerjob_cli.codec.arrays import ArrayNotStorable
    from aerjob_cli.codec.markers import Marking

    kind = type(result).__name__
    if kind not in _KINDS:
        raise ResultNotStorable(f"a PUB's result of class {kind} cannot be stored")
    marking = Marking()
    try:
        content = {
            "name": name,
            "shots": shots,
            "seed": seed,
            "kind": kind,
            "shape": list(result.data.shape),
            # JSON sorts keys, and fields have an order.
            "fields": list(result.data),
            "data": {field: marking.mark(value, (field,)) for field, value in result.data.items()},
            _METADATA: marking.mark(lasting(result.metadata), (_METADATA,)),
        }
        data = strict_json.dumps(content, "the result")
    except (NotJson, ArrayNotStorable) as error:
        raise ResultNotStorable(str(error)) from error
    return EncodedExperiment(PUB_RESULT, data, tuple(marking.arrays.items()))


def decode_pub_result(data: bytes) -> dict[str, Any]:
    """Read the JSON of ``encode_pub_result``, markers left as they are; raises ``ValueError`` for anything else."""
    content = json.loads(data)
    if not isinstance(content, dict) or content.get("kind") not in _KINDS or not isinstance(content.get("data"), dict):
        raise ValueError("the bytes are not a PUB's result")
    return content


def restore_pub_result(data: bytes, arrays: Mapping[str, Array]) -> PubResult:
    """Read a stored result as Qiskit's; ``arrays`` are those stored with it. Raises ``ValueError``."""
    from qiskit.primitives import DataBin, PubResult, SamplerPubResult

    from aerjob_cli.codec.markers import restore

    content = decode_pub_result(data)
    try:
        fields = {field: restore(content["data"][field], arrays) for field in content["fields"]}
        bin = DataBin(shape=tuple(content["shape"]), **fields)
        metadata = restore(content[_METADATA], arrays)
    except (TypeError, LookupError, AttributeError) as error:
        raise ValueError(f"the content of the result is not ours ({error!r})") from error
    return (SamplerPubResult if content["kind"] == _SAMPLES else PubResult)(bin, metadata)
