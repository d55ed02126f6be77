"""Arrays as ``.npy``: every bit comes back, and what would need pickle does not go in."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st

from aerjob_cli.codec.arrays import Array, ArrayNotStorable, decode_npy, encode_npy, npy_parts

DTYPES = st.one_of(
    numpy_st.boolean_dtypes(),
    numpy_st.integer_dtypes(endianness="?"),
    numpy_st.floating_dtypes(endianness="?"),
    numpy_st.complex_number_dtypes(endianness="?"),
    numpy_st.unicode_string_dtypes(),
    numpy_st.byte_string_dtypes(),
    numpy_st.datetime64_dtypes(),
)
SHAPES = numpy_st.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@given(numpy_st.arrays(DTYPES, SHAPES), st.booleans())
@settings(deadline=None)
def test_arrays_come_back_to_the_bit(array: Array, is_fortran: bool) -> None:
    given_array = np.asfortranarray(array) if is_fortran else array
    back = decode_npy(encode_npy(given_array))
    assert type(back) is np.ndarray
    assert (back.dtype, back.shape) == (given_array.dtype, given_array.shape)
    assert back.tobytes() == given_array.tobytes()
    assert (back.flags.c_contiguous, back.flags.f_contiguous) == (
        given_array.flags.c_contiguous,
        given_array.flags.f_contiguous,
    )
    assert back.flags.writeable


@given(numpy_st.arrays(DTYPES, SHAPES))
@settings(deadline=None)
def test_numpy_itself_reads_and_writes_the_same_bytes(array: Array) -> None:
    theirs = io.BytesIO()
    np.save(theirs, array, allow_pickle=False)
    assert encode_npy(array) == theirs.getvalue()


def test_an_array_in_no_order_comes_back_in_c_order() -> None:
    array = np.arange(24.0).reshape(2, 3, 4)[:, ::2].transpose(1, 0, 2)
    back = decode_npy(encode_npy(array))
    assert np.array_equal(back, array)
    assert back.flags.c_contiguous


def test_the_content_is_not_copied() -> None:
    array = np.zeros(1000, complex)
    _, content = npy_parts(array)
    array[0] = 7
    assert bytes(content)[:16] == array[:1].tobytes()


@pytest.mark.parametrize(
    "array",
    [
        np.array([{}, None], dtype=object),
        np.zeros(2, dtype=[("a", "<f8")]),
        np.zeros((2, 2)).view(np.matrix),
        np.ma.masked_array([1, 2], [True, False]),
    ],
)
def test_what_npy_would_not_keep_is_refused(array: Any) -> None:
    with pytest.raises(ArrayNotStorable):
        encode_npy(array)


def with_pickle() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([{}], dtype=object), allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93NUMPY",
        b"not an array",
        encode_npy(np.zeros(3))[:-1],
        encode_npy(np.zeros(3)) + b"\0",
        with_pickle(),
        encode_npy(np.zeros(1)).replace(b"(1,)", b"(9,)"),
        encode_npy(np.zeros(1)).replace(b"(1,), }          ", b"(1000000000000,), }"),
        encode_npy(np.zeros(1)).replace(b"(1,), }", b"(-1,), }").replace(b"}  ", b"} "),
        encode_npy(np.zeros(1)).replace(b"(1,), }              ", b"(9000000000000000000,), }")[:-8],
    ],
)
def test_bytes_that_are_no_array_of_ours_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_npy(data)
