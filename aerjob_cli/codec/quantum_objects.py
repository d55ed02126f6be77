"""The objects that simulators put into results, taken apart into plain values and put together again.

A closed list: Qiskit's classes, and Aer's own of the same names, which are subclasses that also pass for arrays.
Qiskit and Aer are imported only for an object that is one of theirs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

_AER = "qiskit_aer.backends.compatibility"
_QISKIT = "qiskit.quantum_info"


@dataclass(frozen=True)
class _Form:
    """Where a class is, and how its objects are taken apart and made."""

    module: str
    name: str
    parts: Callable[[Any], dict[str, Any]]
    make: Callable[[type[Any], dict[str, Any]], Any]


def _state_parts(state: Any) -> dict[str, Any]:
    return {"data": state.data, "dims": list(state.dims())}


def _make_state(kind: type[Any], parts: dict[str, Any]) -> Any:
    return kind(parts["data"], dims=tuple(parts["dims"]))


def _operator_parts(operator: Any) -> dict[str, Any]:
    dims = {"input_dims": list(operator.input_dims()), "output_dims": list(operator.output_dims())}
    return {"data": operator.data, **dims}


def _make_operator(kind: type[Any], parts: dict[str, Any]) -> Any:
    return kind(parts["data"], input_dims=tuple(parts["input_dims"]), output_dims=tuple(parts["output_dims"]))


def _make_clifford(kind: type[Any], parts: dict[str, Any]) -> Any:
    return kind(parts["data"], validate=False)


def _make_stabilizer_state(kind: type[Any], parts: dict[str, Any]) -> Any:
    return kind(_make_clifford(import_module(_QISKIT).Clifford, parts), validate=False)


def _make_distribution(kind: type[Any], parts: dict[str, Any]) -> Any:
    return kind(parts["data"], shots=parts["shots"])


def _make_bit_array(kind: type[Any], parts: dict[str, Any]) -> Any:
    return kind(parts["data"], parts["num_bits"])


def _forms() -> dict[str, _Form]:
    forms = {}
    for prefix, module in (("", _QISKIT), ("aer.", _AER)):
        for name in ("Statevector", "DensityMatrix"):
            forms[prefix + name] = _Form(module, name, _state_parts, _make_state)
        for name in ("Operator", "SuperOp"):
            forms[prefix + name] = _Form(module, name, _operator_parts, _make_operator)
        forms[prefix + "StabilizerState"] = _Form(
            module, "StabilizerState", lambda state: {"data": state.clifford.tableau}, _make_stabilizer_state
        )
    forms["Clifford"] = _Form(_QISKIT, "Clifford", lambda clifford: {"data": clifford.tableau}, _make_clifford)
    forms["ProbDistribution"] = _Form(
        "qiskit.result",
        "ProbDistribution",
        lambda distribution: {"data": dict(distribution), "shots": distribution.shots},
        _make_distribution,
    )
    forms["BitArray"] = _Form(
        "qiskit.primitives", "BitArray", lambda bits: {"data": bits.array, "num_bits": bits.num_bits}, _make_bit_array
    )
    return forms


_FORMS = _forms()


def take_apart(value: object) -> tuple[str, dict[str, Any]] | None:
    """Name the class of an object and give its parts, an array in ``data`` first; None for anything else."""
    kind = type(value)
    for tag, form in _FORMS.items():
        # An object's class is loaded, or it would not be there.
        if form.name == kind.__name__ and getattr(sys.modules.get(form.module), form.name, None) is kind:
            return tag, form.parts(value)
    return None


def put_together(tag: str, parts: dict[str, Any]) -> Any:
    """Make the object again; raises ``ValueError`` for a class that is not on the list, or what are not its parts."""
    form = _FORMS.get(tag)
    if form is None:
        raise ValueError(f"an object of class {tag!r} is not known")
    kind = getattr(import_module(form.module), form.name)
    try:
        return form.make(kind, parts)
    except Exception as error:
        raise ValueError(f"the parts of a {tag} are not those of one ({error!r})") from error
