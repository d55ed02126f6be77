"""How far two stored arrays are from each other: what NumPy says of them as a whole, told piece by piece."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from aerjob_cli.codec.array_differences import ArrayDifference, array_difference
from aerjob_cli.codec.arrays import encode_npy

KINDS = st.sampled_from([np.dtype(name) for name in ("?", "<i4", "<u8", "<f4", "<f8", "<c16", "<U3")])


def difference(first: Any, second: Any) -> ArrayDifference | str:
    return array_difference(io.BytesIO(encode_npy(first)), io.BytesIO(encode_npy(second)), at_once=7)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Two arrays of one shape and dtype, the second one with some elements of its own."""
    shape = draw(arrays.array_shapes(max_dims=3, max_side=6))
    kind = draw(KINDS)
    first = draw(arrays.arrays(kind, shape))
    other, is_other = draw(arrays.arrays(kind, shape)), draw(arrays.arrays(np.dtype("?"), shape))
    return first, np.where(is_other, other, first).astype(kind)


@given(pairs())
@settings(deadline=None, max_examples=60)
def test_pieces_say_what_the_whole_says(pair: tuple[Any, Any]) -> None:
    first, second = pair
    found = difference(first, second)
    assert isinstance(found, ArrayDifference)
    is_same = np.array_equal(first, second, equal_nan=first.dtype.kind in "fc")
    assert (found.elements == 0) is is_same
    assert found.elements_total == first.size
    if first.dtype.kind == "U":
        assert found.largest is None
        return
    wide = complex if first.dtype.kind == "c" else float
    with np.errstate(all="ignore"):
        distances = np.abs(first.astype(wide) - second.astype(wide))[~_same(first, second)]
    assert found.largest == float(np.nan_to_num(distances, nan=math.inf, posinf=math.inf).max(initial=0.0))


def _same(first: Any, second: Any) -> Any:
    is_nan = np.isnan(first) & np.isnan(second) if first.dtype.kind in "fc" else False
    return (first == second) | is_nan


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        (np.zeros(4), np.zeros(5), "shape"),
        (np.zeros(4), np.zeros(4, "<f4"), "dtype"),
        (np.zeros((2, 3)), np.zeros((2, 3), order="F"), "order in memory"),
    ],
)
def test_arrays_of_two_kinds_have_no_distance(first: Any, second: Any, word: str) -> None:
    found = difference(first, second)
    assert isinstance(found, str)
    assert word in found


def test_an_array_that_was_cut_off_is_told_of() -> None:
    whole = encode_npy(np.arange(10.0))
    with pytest.raises(ValueError, match="shorter"):
        array_difference(io.BytesIO(whole), io.BytesIO(whole[:-8]))
