"""What a result's arrays are, and their largest elements: plain numbers, without NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aerjob_cli.cli.cleaning import clean
from aerjob_cli.frozen import dataclass


@dataclass(frozen=True)
class ArrayElement:
    """One element and where it is; the indices count from 0."""

    index: tuple[int, ...]
    value: complex | float

    @property
    def weight(self) -> float:
        """What it adds to the square of the norm: for an amplitude its probability."""
        return abs(self.value) ** 2


@dataclass(frozen=True)
class LargestElements:
    """The elements of largest magnitude, in falling order, without zeros.

    ``left_out`` counts the others that are not zero, and ``weight_left_out`` is the sum of their weights.
    """

    elements: tuple[ArrayElement, ...]
    norm: float
    left_out: int
    weight_left_out: float


@dataclass(frozen=True)
class ArrayContent:
    """One array of a result.

    ``dtype`` is NumPy's name, ``sha256`` that of the ``.npy`` bytes. ``qubits`` says how long the bit strings are that
    the indices stand for, None where they are plain numbers.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    size_bytes: int
    sha256: str
    qubits: int | None = None
    largest: LargestElements | None = None

    @property
    def is_complex(self) -> bool:
        return self.dtype.startswith("complex")

    @property
    def is_statevector(self) -> bool:
        """Tell whether the elements are the amplitudes of basis states."""
        return self.is_complex and self.qubits is not None and len(self.shape) == 1

    @property
    def title(self) -> str:
        """Say what it is: its name, its type, its shape."""
        shape = " x ".join(map(str, self.shape)) or "1"
        return f"{clean(self.name)}: {self.dtype}, {shape}"

    def labels(self, element: ArrayElement) -> tuple[str, ...]:
        """Name an element's place, by basis states where the indices are such (the first qubit is the last digit)."""
        if self.qubits is None:
            return tuple(map(str, element.index))
        return tuple(format(index, f"0{self.qubits}b") for index in element.index)

    def as_json(self, *, with_elements: bool) -> dict[str, Any]:
        content: dict[str, Any] = {
            "name": self.name,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "sha256": self.sha256,
            "size_bytes": self.size_bytes,
        }
        if not with_elements or self.largest is None:
            return content
        return content | {
            "norm": self.largest.norm,
            "largest": [self._element_json(element) for element in self.largest.elements],
            "left_out": self.largest.left_out,
        }

    def lines(self) -> Iterator[str]:
        """Give a line for each of the largest elements: place, real and imaginary part, an amplitude's probability."""
        for element in () if self.largest is None else self.largest.elements:
            parts = (element.value.real, element.value.imag) if self.is_complex else (element.value,)
            weight = (element.weight,) if self.is_statevector else ()
            yield "\t".join((*self.labels(element), *map(repr, (*parts, *weight))))

    def left_out(self) -> str | None:
        """Say how many elements are not shown, or give None when all are."""
        if self.largest is None or not self.largest.left_out:
            return None
        count = self.largest.left_out
        if self.is_statevector:
            noun = "basis state" if count == 1 else "basis states"
            return f"and {count} other {noun} of {clean(self.name)}, of probability {self.largest.weight_left_out:.6g}"
        return f"and {count} other {'element' if count == 1 else 'elements'} of {clean(self.name)}, none larger"

    def _element_json(self, element: ArrayElement) -> dict[str, Any]:
        value = [element.value.real, element.value.imag] if self.is_complex else element.value
        content: dict[str, Any] = {"index": list(element.index), "value": value}
        if self.is_statevector:
            content |= {"state": self.labels(element)[0], "probability": element.weight}
        return content
