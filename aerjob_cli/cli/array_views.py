"""From the stored bytes of an array to what is told of it. NumPy is imported only to look at elements.

The form of ``.npy`` files: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import ast
import contextlib
import math
import struct
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from mmap import mmap
from typing import TYPE_CHECKING, Any

from aerjob_cli.api.stored_arrays import StoredArray
from aerjob_cli.cli.answers.arrays import ArrayContent, ArrayElement, LargestElements
from aerjob_cli.frozen import dataclass

if TYPE_CHECKING:
    import numpy as np

_MAGIC = b"\x93NUMPY"
_LENGTHS = {1: "<H", 2: "<I", 3: "<I"}
_KINDS = {"b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex"}
# Elements looked at together: what NumPy allocates on the way stays small beside the array.
_PART = 2**17
# In which equal weights agree, of the 16 that a float has.
_DIGITS = 12


@dataclass(frozen=True)
class _Header:
    descr: str
    fortran_order: bool
    shape: tuple[int, ...]
    length_bytes: int

    @property
    def is_numeric(self) -> bool:
        return self.descr[1] in _KINDS

    @property
    def dtype(self) -> str:
        """NumPy's name of a number's type, ``complex128`` for ``<c16``; the description of any other."""
        kind = self.descr[1]
        if not self.is_numeric:
            return self.descr
        return _KINDS[kind] + ("" if kind == "b" else str(8 * int(self.descr[2:])))


def content_of(stored: StoredArray, *, qubits: int, listed: int | None) -> ArrayContent:
    """Tell what a stored array is and, unless ``listed`` is None, which are its ``listed`` largest elements.

    ``qubits`` are those of the circuit: an array with as many places on each axis as they have basis states is taken
    to be over these. The array is read in parts, of which few are in memory. Raises ``PayloadDamaged``, and
    ``ValueError`` for what is not ``.npy``.
    """
    with contextlib.closing(stored.parts(verified_first=False)) as parts:
        first = next(parts, b"")
        try:
            header = _header(first)
            is_looked_at = listed is not None and header.is_numeric
            largest = _largest_of(stored, header, first, parts, listed or 0) if is_looked_at else None
        except ValueError:
            # Rather than that, whether these are the bytes that were stored.
            deque(parts, maxlen=0)
            raise
        # To the end, where it is told.
        deque(parts, maxlen=0)
    dimension = 1 << qubits
    is_over_states = qubits > 0 and len(header.shape) > 0 and all(length == dimension for length in header.shape)
    return ArrayContent(
        name=stored.name,
        shape=header.shape,
        dtype=header.dtype,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        qubits=qubits if is_over_states else None,
        largest=largest,
    )


def load_array(stored: StoredArray) -> np.ndarray[Any, Any]:
    """Read a stored array, without a copy of its bytes; raises as ``content_of``."""
    data = stored.load_apart()
    return _elements(data, _header(data))


def _header(data: bytes | mmap) -> _Header:
    try:
        major = data[len(_MAGIC)]
        form = _LENGTHS[major]
        start = len(_MAGIC) + 2
        begin = start + struct.calcsize(form)
        (length,) = struct.unpack_from(form, data, start)
        fields = ast.literal_eval(data[begin : begin + length].decode("latin-1" if major < 3 else "utf-8"))
        header = _Header(str(fields["descr"]), bool(fields["fortran_order"]), tuple(fields["shape"]), begin + length)
        if data[: len(_MAGIC)] != _MAGIC or not header.dtype:
            raise ValueError
    except (IndexError, KeyError, TypeError, ValueError, SyntaxError, struct.error):
        raise ValueError("an array is not in NumPy's format") from None
    return header


def _elements(data: bytes | mmap, header: _Header) -> np.ndarray[Any, Any]:
    import numpy as np

    flat = np.frombuffer(data, dtype=np.dtype(header.descr), offset=header.length_bytes)
    return flat.reshape(header.shape, order="F" if header.fortran_order else "C")


def _largest_of(
    stored: StoredArray, header: _Header, first: bytes, following: Iterator[bytes], listed: int
) -> LargestElements:
    if header.fortran_order and len(header.shape) > 1:
        # Its elements do not lie in the order in which they are counted.
        flat = load_array(stored).reshape(-1)
        return _largest((flat[start : start + _PART] for start in range(0, flat.size, _PART)), header.shape, listed)
    return _largest(_in_parts(chain([first[header.length_bytes :]], following), header), header.shape, listed)


def _in_parts(content: Iterable[bytes], header: _Header) -> Iterator[np.ndarray[Any, Any]]:
    """Give the elements as they lie in the file, some together."""
    import numpy as np

    dtype = np.dtype(header.descr)
    pending = bytearray()
    for part in content:
        pending += part
        if len(pending) >= _PART * dtype.itemsize:
            whole_bytes = len(pending) - len(pending) % dtype.itemsize
            yield np.frombuffer(pending[:whole_bytes], dtype)
            del pending[:whole_bytes]
    yield np.frombuffer(pending, dtype)


def _largest(parts: Iterable[np.ndarray[Any, Any]], shape: tuple[int, ...], listed: int) -> LargestElements:
    """Find the largest elements of an array of that shape, which comes in parts that follow one another."""
    import numpy as np

    places: list[np.ndarray[Any, Any]] = []
    values: list[np.ndarray[Any, Any]] = []
    weights: list[np.ndarray[Any, Any]] = []
    total, others, start = 0.0, 0, 0
    for part in parts:
        weight = part.real.astype(float) ** 2 + part.imag.astype(float) ** 2
        total += float(weight.sum())
        others += int(np.count_nonzero(weight))
        chosen = _heaviest(weight, listed)
        places.append(chosen + start)
        values.append(part[chosen])
        weights.append(weight[chosen])
        start += part.size
    if start != math.prod(shape):
        raise ValueError("an array does not have as many elements as it announces")
    place, value, weight = (np.concatenate(some) for some in (places, values, weights))
    order = np.lexsort((place, -_rounded(weight)))[:listed]
    elements = tuple(
        ArrayElement(tuple(int(axis) for axis in np.unravel_index(place[number], shape)), value[number].item())
        for number in order
    )
    left_out = others - len(elements)
    weight_left_out = max(0.0, total - float(weight[order].sum())) if left_out else 0.0
    return LargestElements(elements, total**0.5, left_out, weight_left_out)


def _rounded(weight: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Make those equal that differ by what arithmetic adds: a person expects these in the order of their indices."""
    import numpy as np

    finite = weight[np.isfinite(weight)]
    scale = float(finite.max(initial=0.0)) or 1.0
    rounded: np.ndarray[Any, Any] = np.round(np.nan_to_num(weight, nan=np.inf, posinf=np.inf) / scale, _DIGITS)
    return rounded


def _heaviest(weight: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, Any]:
    """Give the places of the heaviest elements that are not zero; of equal ones the first."""
    import numpy as np

    # What is not a number must be seen, so it counts as heaviest.
    weight = np.nan_to_num(weight, nan=np.inf)
    if count < weight.size:
        least = np.partition(weight, weight.size - count)[weight.size - count]
        above = np.flatnonzero(weight > least)
        level = np.flatnonzero(weight == least)[: count - above.size]
        places = np.concatenate((above, level))
    else:
        places = np.arange(weight.size)
    return places[weight[places] > 0]
