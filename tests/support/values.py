"""Telling whether two results are the same to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from qiskit.primitives import BitArray, DataBin, PubResult
from qiskit.quantum_info import StabilizerState
from qiskit.quantum_info.operators.base_operator import BaseOperator
from qiskit.quantum_info.states.quantum_state import QuantumState


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal to the bit, in type, dimensions and order where there is one."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return bool(
            (one.dtype, one.shape, one.flags.f_contiguous) == (other.dtype, other.shape, other.flags.f_contiguous)
            and one.tobytes() == other.tobytes()
        )
    if isinstance(one, np.generic):
        return bool(one.dtype == other.dtype and one.tobytes() == other.tobytes())
    if isinstance(one, float):
        return np.float64(one).tobytes() == np.float64(other).tobytes()
    if isinstance(one, complex):
        return same(one.real, other.real) and same(one.imag, other.imag)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, BitArray):
        return one.num_bits == other.num_bits and same(one.array, other.array)
    if isinstance(one, DataBin):
        return one.shape == other.shape and same(list(one.items()), list(other.items()))
    if isinstance(one, PubResult):
        return same(one.data, other.data) and same(one.metadata, other.metadata)
    if isinstance(one, StabilizerState):
        return bool(one.clifford == other.clifford)
    if isinstance(one, QuantumState):
        return one.dims() == other.dims() and same(one.data, other.data)
    if isinstance(one, BaseOperator) and hasattr(one, "data"):
        return same(
            (one.input_dims(), one.output_dims(), one.data), (other.input_dims(), other.output_dims(), other.data)
        )
    return bool(one == other)
