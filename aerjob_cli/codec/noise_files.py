"""A noise model in JSON, as ``NoiseModel.to_dict(serializable=True)`` gives it: what Qiskit's users have in files.

Somebody brought it, so it is only read in an executor. Gates in an error become gates again, by their standard names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aerjob_cli.codec.program_text import as_clause, decoded_text
from aerjob_cli.errors import CircuitRefused, brief

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Operation
    from qiskit_aer.noise import NoiseModel

_QUBITS_AT_MOST = 8  # of one error; Kraus matrices of more would have gigabytes


def read(data: bytes, name: str) -> NoiseModel:
    """Read a noise model; raises ``CircuitRefused`` with the place in the file where something is wrong."""
    from qiskit_aer.noise import NoiseModel

    text = decoded_text(data, name, language="JSON")
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise CircuitRefused(
            f"{name} is not JSON at line {error.lineno}, column {error.colno}: {as_clause(error.msg)}; write it with "
            "json.dump(noise_model.to_dict(serializable=True), file)",
            line=error.lineno,
            column=error.colno,
        ) from None
    except RecursionError:
        raise CircuitRefused(f"{name} is nested too deeply to be read; write it flatter") from None
    errors = content.get("errors") if isinstance(content, dict) else None
    if not isinstance(errors, list) or not errors:
        raise CircuitRefused(
            f"{name} holds no list of errors, and so no noise model; write it with "
            "json.dump(noise_model.to_dict(serializable=True), file)"
        )
    model = NoiseModel()
    for number, item in enumerate(errors):
        try:
            _add(model, item)
        except Exception as error:
            # Whatever Aer, Qiskit or NumPy says of a matrix that is none, or a name that is missing.
            raise CircuitRefused(f"error {number} of {name} cannot be used: {_fact(error)}; correct it") from error
    return model


def _fact(error: Exception) -> str:
    """Say in words for people what is wrong with an error of the file."""
    if isinstance(error, KeyError):
        return f"it has no {brief(str(error.args[0]))}"
    if isinstance(error, (AttributeError, TypeError, LookupError)):
        return "a part of it is not of the kind that it must be"
    return as_clause(getattr(error, "message", None) or str(error) or type(error).__name__)


def _add(model: NoiseModel, item: Mapping[str, Any]) -> None:
    from qiskit_aer.noise import QuantumError, ReadoutError

    places = item.get("gate_qubits")
    if item["type"] == "roerror":
        readout = ReadoutError([[float(value) for value in row] for row in item["probabilities"]])
        if places is None:
            model.add_all_qubit_readout_error(readout, warnings=False)
        for qubits in places or ():
            model.add_readout_error(readout, qubits, warnings=False)
        return
    if item["type"] != "qerror":
        raise ValueError(f"an error of type {brief(str(item['type']))} is not known")
    instructions, probabilities = item["instructions"], item["probabilities"]
    if len(instructions) != len(probabilities):
        raise ValueError(f"there are {len(probabilities)} probabilities for {len(instructions)} lists of instructions")
    terms = [
        (_circuit(steps), float(probability)) for steps, probability in zip(instructions, probabilities, strict=True)
    ]
    error = QuantumError(terms)
    names = [str(name) for name in item["operations"]]
    if places is None:
        model.add_all_qubit_quantum_error(error, names, warnings=False)
    for qubits in places or ():
        model.add_quantum_error(error, names, qubits, warnings=False)


def _circuit(steps: Sequence[Mapping[str, Any]]) -> QuantumCircuit:
    from qiskit import QuantumCircuit

    width = max(max(step["qubits"]) for step in steps) + 1
    if width > _QUBITS_AT_MOST:
        raise ValueError(f"it is on {width} qubits, and {_QUBITS_AT_MOST} are the most")
    circuit = QuantumCircuit(width)
    for step in steps:
        circuit.append(_operation(step), step["qubits"])
    return circuit


def _operation(step: Mapping[str, Any]) -> Operation:
    from qiskit.circuit import Instruction, Reset
    from qiskit.circuit.library import PauliGate, UnitaryGate, get_standard_gate_name_mapping
    from qiskit.quantum_info import Kraus

    name, params = step["name"], step.get("params", [])
    if name == "reset":
        return Reset()
    if name == "pauli":
        return PauliGate(str(params[0]))
    if name == "unitary":
        return UnitaryGate(_matrix(params[0]), label=step.get("label"))
    if name == "kraus":
        matrices = [_matrix(rows) for rows in params]
        if not Kraus(matrices).is_cptp():
            raise ValueError("the matrices of a kraus do not preserve the trace")
        return Instruction("kraus", len(step["qubits"]), 0, matrices)
    gate = get_standard_gate_name_mapping().get(name)
    if gate is None or gate.num_clbits:
        raise ValueError(f"{brief(str(name))} is no gate that can stand in an error")
    return type(gate)(*(float(value) for value in params)) if params else gate


def _matrix(rows: Sequence[Sequence[Any]]) -> Any:
    import numpy as np

    # Aer writes a complex number as the list of its parts.
    return np.array([[complex(*value) if isinstance(value, list) else complex(value) for value in row] for row in rows])
