"""Arrays of NumPy to and from ``.npy``, bit for bit: dtype, shape, order in memory.

The format is https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0, without pickle.
Large arrays are neither encoded nor decoded through a second copy of all their bytes.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from mmap import mmap
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

Array = NDArray[Any]

_VERSION = (1, 0)
# Truth values, numbers, texts, bytes and times; neither objects, which would need pickle, nor records.
_KINDS = frozenset("biufcSUmM")


class ArrayNotStorable(ValueError):
    """An array holds what ``.npy`` keeps only with pickle, or not at all."""


def npy_parts(array: Array) -> Iterator[bytes | memoryview]:
    """Give the ``.npy`` bytes of ``array`` in parts, the content as a view; raises ``ArrayNotStorable``.

    An array that is contiguous in neither order comes back as one in C order.
    """
    if type(array) is not np.ndarray or array.dtype.kind not in _KINDS:
        raise ArrayNotStorable(f"an array of type {type(array).__name__} and dtype {array.dtype} cannot be stored")
    if not (array.flags.c_contiguous or array.flags.f_contiguous):
        array = np.ascontiguousarray(array)
    header = io.BytesIO()
    npy.write_array_header_1_0(header, npy.header_data_from_array_1_0(array))
    yield header.getvalue()
    if array.nbytes:
        yield array.reshape(-1, order="A").view(np.uint8).data


def encode_npy(array: Array) -> bytes:
    """Encode ``array`` as ``.npy``; raises ``ArrayNotStorable``."""
    return b"".join(npy_parts(array))


def decode_npy(data: bytes | bytearray | memoryview | mmap) -> Array:
    """Read what ``encode_npy`` wrote, as an array that can be written to; raises ``ValueError`` for anything else.

    Where ``data`` can be written to, the array lies in it.
    """
    view = memoryview(data)
    head = io.BytesIO(view[: npy.MAGIC_LEN + 2 + 2**16])
    version = npy.read_magic(head)
    if version != _VERSION:
        raise ValueError(f"the array is .npy version {version}, which is not what is stored here")
    shape, is_fortran, dtype = npy.read_array_header_1_0(head)
    if dtype.kind not in _KINDS:
        raise ValueError(f"the array has the dtype {dtype}, which is not what is stored here")
    content = view[head.tell() :]
    length = math.prod(shape)
    # Before it is allocated: what a damaged header announces may be anything. NumPy makes no items of 0 bytes.
    announced = length * max(dtype.itemsize, 1)
    if min(shape, default=0) < 0 or content.nbytes != announced:
        raise ValueError(f"the array announces {announced} bytes and has {content.nbytes}")
    if announced and not view.readonly and head.tell() % dtype.alignment == 0:
        return np.frombuffer(content, dtype).reshape(shape, order="F" if is_fortran else "C")
    flat = np.empty(length, dtype)
    if flat.nbytes:
        flat.view(np.uint8)[:] = np.frombuffer(content, np.uint8)
    return flat.reshape(shape, order="F" if is_fortran else "C")
