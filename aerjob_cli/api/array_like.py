"""States that pass for arrays also on the right of an operator, as those of BasicAer, which were arrays, did.

Aer's own states pass for NumPy's arrays nearly everywhere. But NumPy leaves it to them what ``array - state`` is, and
they do not say.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from qiskit.result import Result

from aerjob_cli.store import forks

with forks.none():  # what a thread is importing when the process forks is locked in the child for good
    from qiskit_aer.backends.compatibility import Operator, Statevector


class _RightOperand:
    data: Any

    def __radd__(self, other: Any) -> Any:
        return np.asarray(other) + self.data

    def __rsub__(self, other: Any) -> Any:
        return np.asarray(other) - self.data

    def __rmatmul__(self, other: Any) -> Any:
        return np.asarray(other) @ self.data


class ArrayStatevector(_RightOperand, Statevector):
    """A statevector of 2^n complex amplitudes."""


class ArrayOperator(_RightOperand, Operator):
    """A matrix of 2^n × 2^n complex elements."""


def make_array_like(result: Result) -> None:
    """Have the statevectors and unitaries of a result, Aer's own, pass for arrays; their elements are not copied."""
    for experiment in result.results:
        for label, value in vars(experiment.data).items():
            if type(value) is Statevector:
                setattr(experiment.data, label, ArrayStatevector(value.data, dims=value.dims()))
            elif type(value) is Operator:
                operator = ArrayOperator(value.data, input_dims=value.input_dims(), output_dims=value.output_dims())
                setattr(experiment.data, label, operator)
