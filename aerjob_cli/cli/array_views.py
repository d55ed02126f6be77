"""From the stored bytes of an array to what is told of it. NumPy is imported only to look at elements.

The form of ``.npy`` files: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import ast
import struct
from typing import TYPE_CHECKING, Any

from aerjob_cli.api.client import StoredArray
from aerjob_cli.cli.answers.arrays import ArrayContent, ArrayElement, LargestElements
from aerjob_cli.frozen import dataclass

if TYPE_CHECKING:
    import numpy as np

_MAGIC = b"\x93NUMPY"
_LENGTHS = {1: "<H", 2: "<I", 3: "<I"}
_KINDS = {"b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex"}
# Elements looked at together: what NumPy allocates on the way stays small beside the array.
_PART = 2**20
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
    to be over these. Raises ``PayloadDamaged``, and ``ValueError`` for what is not ``.npy``.
    """
    data = stored.load()
    header = _header(data)
    dimension = 1 << qubits
    is_over_states = qubits > 0 and len(header.shape) > 0 and all(length == dimension for length in header.shape)
    return ArrayContent(
        name=stored.name,
        shape=header.shape,
        dtype=header.dtype,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        qubits=qubits if is_over_states else None,
        largest=None if listed is None or not header.is_numeric else _largest(_elements(data, header), listed),
    )


def load_array(stored: StoredArray) -> np.ndarray[Any, Any]:
    """Read a stored array, without a copy of its bytes; raises as ``content_of``."""
    data = stored.load()
    return _elements(data, _header(data))


def _header(data: bytes) -> _Header:
    try:
        major = data[len(_MAGIC)]
        form = _LENGTHS[major]
        start = len(_MAGIC) + 2
        begin = start + struct.calcsize(form)
        (length,) = struct.unpack_from(form, data, start)
        fields = ast.literal_eval(data[begin : begin + length].decode("latin-1" if major < 3 else "utf-8"))
        header = _Header(str(fields["descr"]), bool(fields["fortran_order"]), tuple(fields["shape"]), begin + length)
        if not data.startswith(_MAGIC) or not header.dtype:
            raise ValueError
    except (IndexError, KeyError, TypeError, ValueError, SyntaxError, struct.error):
        raise ValueError("an array is not in NumPy's format") from None
    return header


def _elements(data: bytes, header: _Header) -> np.ndarray[Any, Any]:
    import numpy as np

    flat = np.frombuffer(data, dtype=np.dtype(header.descr), offset=header.length_bytes)
    return flat.reshape(header.shape, order="F" if header.fortran_order else "C")


def _largest(array: np.ndarray[Any, Any], listed: int) -> LargestElements:
    import numpy as np

    flat = array.reshape(-1)
    places: list[np.ndarray[Any, Any]] = []
    weights: list[np.ndarray[Any, Any]] = []
    total, others = 0.0, 0
    for start in range(0, flat.size, _PART):
        part = flat[start : start + _PART]
        weight = part.real.astype(float) ** 2 + part.imag.astype(float) ** 2
        total += float(weight.sum())
        others += int(np.count_nonzero(weight))
        chosen = _heaviest(weight, listed)
        places.append(chosen + start)
        weights.append(weight[chosen])
    place = np.concatenate(places) if places else np.zeros(0, dtype=int)
    weight = np.concatenate(weights) if weights else np.zeros(0)
    order = np.lexsort((place, -_rounded(weight)))[:listed]
    elements = tuple(
        ArrayElement(tuple(int(axis) for axis in np.unravel_index(index, array.shape)), flat[index].item())
        for index in place[order]
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
