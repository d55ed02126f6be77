"""What one pass over a circuit tells: how wide it really is, what is in it and what is wrong with it."""

from __future__ import annotations

import cmath
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Operation, ParameterExpression, Qubit

# What Aer's stabilizer method runs whatever the parameters (a test asks Aer), besides rz by quarter turns.
_CLIFFORD_GATES = frozenset(
    {"cx", "cy", "cz", "ecr", "h", "id", "pauli", "s", "sdg", "swap", "sx", "sxdg", "x", "y", "z"}
)
_CONTROL_FLOW = frozenset({"break_loop", "continue_loop", "for_loop", "if_else", "switch_case", "while_loop"})
_CLIFFORD = _CLIFFORD_GATES | _CONTROL_FLOW | {"barrier", "delay", "measure", "reset", "save_state"}
# These touch no qubit's state: Aer leaves qubits with nothing else out.
_IDLE = frozenset({"barrier"})
_AERS_OWN = ("save_", "set_", "quantum_channel", "qerror_loc")


@dataclass
class Survey:
    """The findings. ``nonfinite`` names the first instruction with a parameter that is no finite number."""

    active: set[Qubit] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    is_clifford: bool = True
    nonfinite: str | None = None
    # Named like one of Aer's own instructions, and without what Aer needs of one: QPY has lost that.
    lost: str | None = None

    @property
    def active_qubits(self) -> int:
        return len(self.active)


def survey(circuit: QuantumCircuit) -> Survey:
    """Look at every instruction of ``circuit``, also in the bodies of its control flow."""
    findings = Survey()
    _look(circuit, findings, is_outermost=True)
    return findings


def _look(circuit: QuantumCircuit, findings: Survey, *, is_outermost: bool) -> None:
    if not _is_finite(circuit.global_phase):
        findings.nonfinite = findings.nonfinite or "the global phase"
    for instruction in circuit.data:
        name = instruction.name
        findings.names.add(name)
        if name.startswith(_AERS_OWN) and _is_lost(instruction.operation):
            findings.lost = findings.lost or name
        if is_outermost and name not in _IDLE:
            findings.active.update(instruction.qubits)
        parameters = instruction.params
        if not is_clifford(name, parameters):
            findings.is_clifford = False
        if not parameters:
            continue
        if name == "for_loop":
            # Its parameters are values for the loop's variable, and its one body.
            parameters = [parameter for parameter in parameters if isinstance(parameter, QuantumCircuit)]
        for parameter in parameters:
            if isinstance(parameter, QuantumCircuit):
                _look(parameter, findings, is_outermost=False)
            elif findings.nonfinite is None and not _is_finite(parameter):
                findings.nonfinite = name


def is_clifford(name: str, parameters: Iterable[Any]) -> bool:
    """Tell whether Aer's stabilizer method takes an instruction."""
    return name in _CLIFFORD or (name == "rz" and _is_quarter_turn(parameters))


def _is_lost(operation: Operation) -> bool:
    # A gate of the user's may have any name, and has a definition.
    return not operation.base_class.__module__.startswith("qiskit_aer") and operation.definition is None


def _is_quarter_turn(parameters: Iterable[Any]) -> bool:
    """Tell whether Aer's stabilizer method takes this rz: its angle is a multiple of π/2, to rounding."""
    (angle,) = parameters
    if not isinstance(angle, float):
        return False
    turns = angle * 2.0 / math.pi
    if not math.isfinite(turns):
        return False
    return abs(turns - round(turns)) <= sys.float_info.epsilon * max(1.0, abs(turns))


def _is_finite(parameter: object) -> bool:
    """Tell whether a parameter is usable; texts, labels and unbound expressions are not judged here."""
    if isinstance(parameter, float | int):
        return math.isfinite(parameter)
    if isinstance(parameter, complex):
        return cmath.isfinite(parameter)
    if isinstance(parameter, np.ndarray | np.number):
        return bool(np.isfinite(parameter).all()) if np.issubdtype(parameter.dtype, np.number) else True
    if isinstance(parameter, ParameterExpression):
        return bool(parameter.parameters) or cmath.isfinite(complex(parameter.numeric()))
    if isinstance(parameter, list | tuple):
        return all(_is_finite(item) for item in parameter)
    return True
