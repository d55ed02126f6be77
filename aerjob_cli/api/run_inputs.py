"""What Python gives to ``run()`` beside circuits, as payloads: a noise model, a device, values of parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2

from aerjob_cli.api.backend_errors import RunRefused, RunTypeRefused
from aerjob_cli.api.requests import CircuitBytes
from aerjob_cli.codec import noise_models, sweeps
from aerjob_cli.codec.envelope import NOISE, SWEEP
from aerjob_cli.codec.noise_models import Surroundings
from aerjob_cli.codec.sweeps import NO_PARAMETERS, Sweep, Table
from aerjob_cli.errors import brief

if TYPE_CHECKING:
    from aerjob_cli.codec.program import Program

_NOISE_NAME, _SWEEP_NAME = "noise model", "parameters"


def surroundings_of(noise_model: object) -> Surroundings | None:
    """Take a noise model, None for one without errors; raises ``RunTypeRefused`` for anything else."""
    from qiskit_aer.noise import NoiseModel

    if not isinstance(noise_model, NoiseModel):
        raise RunTypeRefused(
            f"noise_model is of type {type(noise_model).__name__}; it must be a qiskit_aer.noise.NoiseModel"
        )
    # A program that goes through strengths of noise begins at none, and Aer takes that.
    return None if noise_model.is_ideal() else Surroundings(noise_model)


def device_of(device: object) -> Surroundings:
    """Take from a device what its circuits run under: its noise, gates and couplings; raises ``RunTypeRefused``."""
    from qiskit_aer.noise import NoiseModel

    if not isinstance(device, BackendV2):
        raise RunTypeRefused(f"the device is of type {type(device).__name__}; it must be a BackendV2")
    couplings = device.coupling_map
    return Surroundings(
        NoiseModel.from_backend(device),
        basis_gates=tuple(device.operation_names),
        coupling=None if couplings is None else tuple((one, other) for one, other in couplings.get_edges()),
        num_qubits=device.num_qubits,
    )


def sweep_of(parameter_binds: object, circuits: Sequence[QuantumCircuit]) -> Sweep:
    """Take values as ``AerSimulator.run`` does: for each circuit a dictionary from parameters to lists of numbers.

    The lists of a circuit have one length, that of its experiments. Raises ``RunRefused`` for what is not so.
    """
    if isinstance(parameter_binds, Mapping):
        parameter_binds = [parameter_binds]
    if not isinstance(parameter_binds, Iterable):
        raise RunTypeRefused(f"parameter_binds is of type {type(parameter_binds).__name__}; it must be a list")
    binds = list(parameter_binds)
    if len(binds) != len(circuits):
        raise RunRefused(
            f"parameter_binds has {len(binds)} entries for {len(circuits)} circuits; give a dictionary for each"
        )
    return Sweep(tuple(_table(bind, circuit) for bind, circuit in zip(binds, circuits, strict=True)))


def payloads_of(program: Program) -> tuple[CircuitBytes, ...]:
    """Give what a program has beside its circuits, as it is stored."""
    beside = []
    if program.surroundings is not None:
        beside.append(CircuitBytes(_NOISE_NAME, NOISE, noise_models.encode(program.surroundings)))
    if any(table.names for table in program.sweep.tables):
        beside.append(CircuitBytes(_SWEEP_NAME, SWEEP, sweeps.encode(program.sweep)))
    return tuple(beside)


def _table(bind: object, circuit: QuantumCircuit) -> Table:
    if not isinstance(bind, Mapping):
        raise RunTypeRefused(
            f"parameter_binds has something of type {type(bind).__name__}; it must have dictionaries of lists"
        )
    if not bind:
        return NO_PARAMETERS
    columns = {str(getattr(key, "name", key)): _column(key, values) for key, values in bind.items()}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise RunRefused(
            f"the parameters of circuit {brief(circuit.name)} have {' and '.join(map(str, sorted(lengths)))} values; "
            "give each the same number, one at least"
        )
    return Table(tuple(columns), tuple(zip(*columns.values(), strict=True)))


def _column(key: Any, values: Any) -> list[float]:
    name = brief(str(getattr(key, "name", key)))
    if isinstance(values, (str, bytes)):
        values = (None,)  # no number, whatever digits are in it
    try:
        numbers = [float(value) for value in (values if isinstance(values, Iterable) else [values])]
    except (TypeError, ValueError):
        raise RunTypeRefused(f"the values of parameter {name} are not real numbers; give a list of them") from None
    if not all(map(math.isfinite, numbers)):
        raise RunRefused(f"a value of parameter {name} is not a finite number; correct it")
    return numbers
