"""Aer's quantum errors, as they stand in circuits and in noise models, taken apart and put together again exactly.

An error is a mixture of circuits, or of Paulis. Its circuits are put into a list of circuits that is stored as QPY, and
what is kept of the error refers to them by their places. Aer's ``to_dict`` would lose labels, and its ``from_dict`` is
deprecated and turns gates into matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit_aer.noise.errors.base_quantum_error import BaseQuantumError

_MODULE = "qiskit_aer.noise.errors"
_NAME = "error"


def describe(error: BaseQuantumError, circuits: list[QuantumCircuit]) -> dict[str, Any] | None:
    """Say what an error consists of, its circuits added to ``circuits``; None for a class that is not Aer's.

    Its id is left out: it is drawn at random, and serves only to tell errors apart while they are in memory.
    """
    kind = type(error)
    if not kind.__module__.startswith(_MODULE):
        return None
    if kind.__name__ == "QuantumError":
        start = len(circuits)
        # Qiskit numbers circuits without a name, differently in each process: the same error, other bytes.
        circuits.extend(circuit.copy(name=_NAME) for circuit in error.circuits)
        parts = {"circuits": [start, len(circuits)], "probabilities": [float(value) for value in error.probabilities]}
    elif kind.__name__ == "PauliError":
        parts = {"paulis": error.paulis.to_labels(), "probabilities": error.probabilities}
    elif kind.__name__ == "PauliLindbladError":
        parts = {"paulis": error.generators.to_labels(), "rates": error.rates}
    else:
        return None
    return {"class": kind.__name__, **parts}


def make(parts: dict[str, Any], circuits: Sequence[QuantumCircuit]) -> BaseQuantumError:
    """Make the error again; raises ``LookupError``, ``TypeError`` or ``ValueError`` for other parts."""
    import numpy as np
    from qiskit_aer.noise import PauliError, PauliLindbladError, QuantumError

    kind = parts["class"]
    if kind == "QuantumError":
        start, stop = parts["circuits"]
        error = QuantumError(list(zip(circuits[start:stop], parts["probabilities"], strict=True)))
        # It has divided them by their sum once more, which may change the last digit.
        error._probs = [np.float64(value) for value in parts["probabilities"]]
    elif kind == "PauliError":
        error = PauliError(parts["paulis"], parts["probabilities"])
    elif kind == "PauliLindbladError":
        error = PauliLindbladError(parts["paulis"], parts["rates"])
    else:
        raise ValueError(f"a quantum error of class {kind!r} is not known")
    return error
