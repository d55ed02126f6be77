"""Aer's noise models to and from bytes, exactly; what goes with one belongs to a device: basis gates and couplings.

``NoiseModel.to_dict`` is not the way: it loses the passes that add noise to delays, and ``from_dict``, which is
deprecated, gives a model with matrices in the place of gates, whose counts differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aerjob_cli.codec import circuit_bundle, quantum_errors
from aerjob_cli.codec.noise_texts import Depolarizing
from aerjob_cli.errors import CircuitRefused

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit_aer.noise import NoiseModel

_RELAXATION = "RelaxationNoisePass"


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What circuits are run under: a noise model, and of a device its gates and the pairs of qubits that it couples.

    ``basis_gates`` None leaves circuits as they are; ``coupling`` None couples every qubit with every other.
    """

    noise_model: NoiseModel
    basis_gates: tuple[str, ...] | None = None
    coupling: tuple[tuple[int, int], ...] | None = None
    num_qubits: int | None = None


def encode(surroundings: Surroundings) -> bytes:
    """Write a noise model and its device; raises ``CircuitRefused`` for noise that Aer does not bring itself."""
    circuits: list[QuantumCircuit] = []
    about = {
        "noise": _noise_parts(surroundings.noise_model, circuits),
        "basis_gates": _listed(surroundings.basis_gates),
        "coupling": _listed(surroundings.coupling),
        "num_qubits": surroundings.num_qubits,
    }
    return circuit_bundle.write(circuits, about=about)


def decode(data: bytes, name: str) -> Surroundings:
    """Read what ``encode`` wrote; raises ``CircuitRefused`` for anything else."""
    circuits, about = circuit_bundle.read(data, name)
    try:
        return Surroundings(
            noise_model=_noise_model(about["noise"], circuits),
            basis_gates=None if about["basis_gates"] is None else tuple(about["basis_gates"]),
            coupling=None if about["coupling"] is None else tuple((one, other) for one, other in about["coupling"]),
            num_qubits=about["num_qubits"],
        )
    except Exception as error:
        # Aer's own checks raise errors of its own, of Qiskit, of NumPy.
        raise CircuitRefused(f"{name} is damaged and cannot be read; submit it again") from error


def depolarizing(strengths: Depolarizing) -> Surroundings:
    """Make the noise of a text: after each gate on one or two qubits, to which all others are translated."""
    from qiskit.circuit.library import get_standard_gate_name_mapping
    from qiskit_aer import AerSimulator
    from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error

    native = set(AerSimulator().configuration().basis_gates)
    gates = {name: gate.num_qubits for name, gate in get_standard_gate_name_mapping().items() if name in native}
    basis = sorted(name for name, qubits in gates.items() if qubits in (1, 2) and name not in ("measure", "reset"))
    model = NoiseModel(basis)
    for qubits, strength in ((1, strengths.p1), (2, strengths.p2)):
        if strength > 0.0:
            names = [name for name in basis if gates[name] == qubits]
            model.add_all_qubit_quantum_error(depolarizing_error(strength, qubits), names, warnings=False)
    if strengths.readout > 0.0:
        wrong = strengths.readout
        model.add_all_qubit_readout_error(ReadoutError([[1 - wrong, wrong], [wrong, 1 - wrong]]), warnings=False)
    return Surroundings(model, basis_gates=tuple(basis))


def _listed(values: Sequence[Any] | None) -> list[Any] | None:
    return None if values is None else [list(value) if isinstance(value, tuple) else value for value in values]


def _noise_parts(model: NoiseModel, circuits: list[QuantumCircuit]) -> dict[str, Any]:
    errors: list[dict[str, Any]] = []
    places: dict[int, int] = {}

    def place_of(error: Any) -> int:
        # One error may stand for many gates and qubits.
        if id(error) not in places:
            parts = quantum_errors.describe(error, circuits)
            if parts is None:
                raise _not_storable(type(error).__name__)
            places[id(error)] = len(errors)
            errors.append(parts)
        return places[id(error)]

    return {
        "basis_gates": sorted(model._basis_gates),
        "instructions": sorted(model._noise_instructions),
        "qubits": sorted(model._noise_qubits),
        "default": [[label, place_of(error)] for label, error in model._default_quantum_errors.items()],
        "local": [
            [label, list(qubits), place_of(error)]
            for label, local in model._local_quantum_errors.items()
            for qubits, error in local.items()
        ],
        "readout": None if model._default_readout_error is None else model._default_readout_error.probabilities,
        "local_readout": [[list(qubits), error.probabilities] for qubits, error in model._local_readout_errors.items()],
        "passes": [_pass_parts(item) for item in model._custom_noise_passes],
        "errors": errors,
    }


def _noise_model(parts: Mapping[str, Any], circuits: Sequence[QuantumCircuit]) -> NoiseModel:
    from qiskit_aer.noise import NoiseModel, ReadoutError

    errors = [quantum_errors.make(item, circuits) for item in parts["errors"]]
    model = NoiseModel(parts["basis_gates"])
    # Its verbs would ask of each error once more whether it does anything, which takes seconds for a large device.
    model._noise_instructions = set(parts["instructions"])
    model._noise_qubits = set(parts["qubits"])
    model._default_quantum_errors = {label: errors[place] for label, place in parts["default"]}
    for label, qubits, place in parts["local"]:
        model._local_quantum_errors.setdefault(label, {})[tuple(qubits)] = errors[place]
    if parts["readout"] is not None:
        model._default_readout_error = ReadoutError(parts["readout"])
    model._local_readout_errors = {tuple(qubits): ReadoutError(values) for qubits, values in parts["local_readout"]}
    model._custom_noise_passes = [_pass(item) for item in parts["passes"]]
    return model


def _pass_parts(noise_pass: Any) -> dict[str, Any]:
    """Take the one pass apart that Aer itself puts into the models of devices: relaxation while a qubit waits."""
    from qiskit.circuit import Delay

    kind = type(noise_pass).__name__
    # Of delays alone it needs no target: they say themselves how long they are.
    if kind != _RELAXATION or noise_pass._ops != (Delay,):
        raise _not_storable(kind)
    return {
        "class": kind,
        "t1s": noise_pass._t1s.tolist(),
        "t2s": noise_pass._t2s.tolist(),
        "p1s": noise_pass._p1s.tolist(),
        "dt": noise_pass._dt,
    }


def _pass(parts: Mapping[str, Any]) -> Any:
    from qiskit.circuit import Delay
    from qiskit_aer.noise import RelaxationNoisePass

    if parts["class"] != _RELAXATION:
        raise ValueError(f"a pass of class {parts['class']!r} is not known")
    return RelaxationNoisePass(
        parts["t1s"], parts["t2s"], dt=parts["dt"], op_types=Delay, excited_state_populations=parts["p1s"]
    )


def _not_storable(kind: str) -> CircuitRefused:
    return CircuitRefused(
        f"the noise model has a part of class {kind}, which cannot be stored; use the errors of qiskit_aer.noise"
    )
