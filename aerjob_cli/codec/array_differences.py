"""How far two stored arrays are from each other, read piece by piece: neither is ever in memory as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

_AT_ONCE = 2**18  # 4 MiB of complex numbers
_NUMBERS = "biufc"


@dataclass(frozen=True)
class ArrayDifference:
    """Two arrays of one shape and dtype: how many elements differ, and by how much at most (None: not numbers)."""

    elements: int
    elements_total: int
    largest: float | None


def array_difference(first: BinaryIO, second: BinaryIO, *, at_once: int = _AT_ONCE) -> ArrayDifference | str:
    """Compare two ``.npy`` files, so many elements at once; gives a few words instead where they are not of one kind.

    NaN equals NaN here, and is infinitely far from any number. Raises ``ValueError`` for what is not ``.npy``.
    """
    headers = [_header(file) for file in (first, second)]
    for word, one, other in zip(("shape", "order in memory", "dtype"), *headers, strict=True):
        if one != other:
            return f"the {word} is {one} in the one and {other} in the other"
    shape, _, dtype = headers[0]
    total = int(np.prod(shape, dtype=np.int64))
    differing, largest = 0, 0.0
    for start in range(0, total, at_once):
        count = min(at_once, total - start)
        one, other = (_read(file, dtype, count) for file in (first, second))
        is_other = _differs(one, other)
        differing += int(np.count_nonzero(is_other))
        if dtype.kind in _NUMBERS and is_other.any():
            largest = max(largest, _largest(one[is_other], other[is_other]))
    return ArrayDifference(differing, total, largest if dtype.kind in _NUMBERS else None)


def _header(file: BinaryIO) -> tuple[tuple[int, ...], str, np.dtype[Any]]:
    if npy.read_magic(file) != (1, 0):
        raise ValueError("the array is not .npy version 1.0")
    shape, is_fortran, dtype = npy.read_array_header_1_0(file)
    return shape, "F" if is_fortran else "C", dtype


def _read(file: BinaryIO, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    data = file.read(count * dtype.itemsize)
    if len(data) != count * dtype.itemsize:
        raise ValueError("the array is shorter than it announces")
    return np.frombuffer(data, dtype)


def _differs(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    is_other: NDArray[np.bool_] = one != other
    if one.dtype.kind in "fc":
        is_other &= ~(np.isnan(one) & np.isnan(other))
    return is_other


def _largest(one: NDArray[Any], other: NDArray[Any]) -> float:
    wide = np.complex128 if one.dtype.kind == "c" else np.float64
    with np.errstate(all="ignore"):
        distances = np.abs(one.astype(wide) - other.astype(wide))
    return float(np.max(np.where(np.isnan(distances), np.inf, distances)))
