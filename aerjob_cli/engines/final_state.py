"""The final state of a circuit as part of its result, in the form in which the method of Aer has it.

Aer's own simulators of statevectors and unitaries add the same instruction at the end of each circuit.
"""

from __future__ import annotations

import numpy as np
import qiskit_aer  # noqa: F401 - it gives circuits the instruction
from qiskit import QuantumCircuit
from qiskit.result.models import ExperimentResult

from aerjob_cli.catalog import SIMULATORS
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.errors import CircuitRefused

_OWN = frozenset({"save_state", "save_statevector", "save_unitary", "save_superop"})
_CHOPPED = ("statevector", "unitary")
_WITHOUT_STATE = "extended_stabilizer"


def with_final_state(circuit: QuantumCircuit, spec: JobSpec) -> QuantumCircuit:
    """Give a copy that saves its state at the end where the job is to have it, else the circuit itself.

    A circuit that saves it by itself, wherever that is, is left as it is: Aer refuses two states of one name.
    """
    if not spec.gives_state or not _OWN.isdisjoint(circuit.count_ops()):
        return circuit
    saving = circuit.copy()
    saving.save_state()
    return saving


def check_state(spec: JobSpec) -> None:
    """Refuse to save the state of a method that keeps none in a form of its own; raises ``CircuitRefused``."""
    if spec.gives_state and spec.method == _WITHOUT_STATE:
        raise CircuitRefused(
            f"the method {_WITHOUT_STATE!r} has no final state that could be saved; leave out save_state "
            "(--save-state), or use the method statevector"
        )


def chopped(experiment: ExperimentResult, spec: JobSpec) -> ExperimentResult:
    """Set elements of the final state to 0 that are smaller in magnitude than ``chop_threshold``, as BasicAer did.

    Aer has an option of that name, too, which does not concern states; so only BasicAer's two simulators do it.
    """
    threshold = spec.options.get("chop_threshold")
    if threshold and (simulator := SIMULATORS.get(spec.backend)) is not None and simulator.always_gives_state:
        for label in _CHOPPED:
            state = getattr(experiment.data, label, None)
            if state is not None:
                elements = np.asarray(state)
                elements[np.abs(elements) < threshold] = 0
    return experiment
