"""From the stored result of a PUB to what was measured or estimated. It needs NumPy, and no Qiskit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aerjob_cli.api.stored_arrays import StoredArray
from aerjob_cli.cli.answers.expectations import Expectation
from aerjob_cli.cli.array_views import load_array

_VALUES, _DEVIATIONS = "evs", "stds"
BITS = "BitArray"


def expectations_of(content: Mapping[str, Any], arrays: Sequence[StoredArray]) -> list[Expectation] | None:
    """Give what an estimator found, or None for the result of a sampler; ``content`` is that of the JSON."""
    fields = content["data"]
    if _VALUES not in fields or _DEVIATIONS not in fields:
        return None
    values, deviations = (_array(fields[field], arrays) for field in (_VALUES, _DEVIATIONS))
    flat = zip(np.ndindex(values.shape), values.reshape(-1).tolist(), deviations.reshape(-1).tolist(), strict=True)
    return [Expectation(index, value, deviation) for index, value, deviation in flat]


def counts_of(content: Mapping[str, Any], arrays: Sequence[StoredArray]) -> dict[str, int] | None:
    """Count the outcomes of a PUB without a shape, its registers together as ``get_counts`` writes them.

    None for a PUB of several circuits, and for one that measures nothing.
    """
    fields = content["data"]
    if content["shape"] or not content["fields"] or any(fields[field].get("$object") != BITS for field in fields):
        return None
    registers = [(_array(fields[name]["data"], arrays), int(fields[name]["num_bits"])) for name in content["fields"]]
    bits = [np.unpackbits(samples, axis=-1)[:, samples.shape[-1] * 8 - width :] for samples, width in registers]
    outcomes, counts = np.unique(np.concatenate(bits[::-1], axis=-1), axis=0, return_counts=True)
    widths = [width for _, width in registers[::-1]]
    return {_text(outcome, widths): int(count) for outcome, count in zip(outcomes.tolist(), counts, strict=True)}


def _text(outcome: Sequence[int], widths: Sequence[int]) -> str:
    digits = "".join(map(str, outcome))
    ends = np.cumsum(widths).tolist()
    return " ".join(digits[end - width : end] for end, width in zip(ends, widths, strict=True))


def _array(marker: Mapping[str, Any], arrays: Sequence[StoredArray]) -> np.ndarray[Any, Any]:
    (stored,) = (array for array in arrays if array.name == marker["$npy"])
    return load_array(stored)
