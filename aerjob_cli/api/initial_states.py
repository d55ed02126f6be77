"""Where a simulation begins: the options ``initial_statevector`` and ``initial_unitary`` of BasicAer's simulators.

They become an instruction of Aer's at the front of each circuit, and are stored with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from qiskit import QuantumCircuit

from aerjob_cli.catalog import AER_ENGINE, Simulator
from aerjob_cli.errors import InputRefused, brief

INITIAL_STATEVECTOR = "initial_statevector"
INITIAL_UNITARY = "initial_unitary"
_DIMENSIONS = {INITIAL_STATEVECTOR: 1, INITIAL_UNITARY: 2}
_ROUNDING = 1e-10  # BasicAer's

ComplexArray = npt.NDArray[np.complex128]


def names_for(simulator: Simulator) -> tuple[str, ...]:
    """Name the options of this kind that a simulator has."""
    if simulator.engine != AER_ENGINE:
        return ()
    names = {INITIAL_STATEVECTOR: "statevector", INITIAL_UNITARY: "unitary"}
    return tuple(name for name, method in names.items() if method in simulator.methods)


def checked_state(name: str, value: object) -> ComplexArray | None:
    """Give a statevector (2^n) or a unitary (2^n × 2^n) as complex128, or None; raises ``InputRefused``."""
    if value is None:
        return None
    noun = name.replace("_", " ")
    try:
        array = np.array(getattr(value, "data", value), dtype=np.complex128)
    except (TypeError, ValueError):
        raise InputRefused(f"the {noun} is no array of numbers; give one of NumPy's", option=name) from None
    size = array.shape[0] if array.ndim else 0
    if array.ndim != _DIMENSIONS[name] or set(array.shape) != {size} or size < 2 or size & (size - 1):
        sides = " × ".join(["2^n"] * _DIMENSIONS[name])
        raise InputRefused(f"the {noun} has the shape {array.shape}; it must have {sides} elements", option=name)
    if not _is_normalised(array):
        fact = "not normalized" if array.ndim == 1 else "not unitary"
        raise InputRefused(f"the {noun} is {fact}; correct it", option=name)
    return array


def begun(circuits: Sequence[QuantumCircuit], states: dict[str, Any]) -> list[QuantumCircuit]:
    """Give copies of the circuits that begin with the states (by option name); raises ``InputRefused``."""
    given = {name: state for name, value in states.items() if (state := checked_state(name, value)) is not None}
    if not given:
        return list(circuits)
    return [_begun(circuit, given) for circuit in circuits]


def _begun(circuit: QuantumCircuit, given: dict[str, ComplexArray]) -> QuantumCircuit:
    from qiskit_aer.library import SetStatevector, SetUnitary

    begun = circuit.copy_empty_like()
    for name, state in given.items():
        if len(state) != 2**circuit.num_qubits:
            raise InputRefused(
                f"the {name.replace('_', ' ')} is for {len(state).bit_length() - 1} qubits, and circuit "
                f"{brief(circuit.name)} has {circuit.num_qubits}; give one of the right size",
                option=name,
            )
        begun.append(SetStatevector(state) if name == INITIAL_STATEVECTOR else SetUnitary(state), begun.qubits)
    for instruction in circuit.data:
        begun.append(instruction, copy=False)
    return begun


def _is_normalised(array: ComplexArray) -> bool:
    if array.ndim == 1:
        return bool(abs(np.linalg.norm(array) - 1) <= _ROUNDING)
    return bool(np.linalg.norm(array.T.conj() @ array - np.eye(len(array))) <= _ROUNDING)
