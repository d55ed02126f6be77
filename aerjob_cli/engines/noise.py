"""Noise and devices: the gates that circuits are translated to, and what is refused before it would do nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from qiskit import QuantumCircuit
from qiskit.transpiler import CouplingMap, Target
from qiskit_aer import AerSimulator
from qiskit_aer.backends.name_mapping import NAME_MAPPING

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.noise_models import Surroundings
from aerjob_cli.engines.aer_gates import gates_of
from aerjob_cli.engines.translation import GateSet
from aerjob_cli.errors import CircuitRefused, brief

_WITHOUT_NOISE = "unitary"
_SHOWN_NAMES = 6
_NO_GATES = frozenset({"measure", "reset", "delay", "barrier"})


@lru_cache(maxsize=4)
def gates_under(surroundings: Surroundings | None, method: str) -> GateSet:
    """List what a method runs as it is under a noise model or in the place of a device."""
    native = gates_of(method)
    if surroundings is None or surroundings.basis_gates is None:
        return native
    # Aer's own instructions do not belong to a device; all else must be what the noise model knows.
    aers = set(AerSimulator(method=method).configuration().custom_instructions)
    gates = [name for name in surroundings.basis_gates if name in native.names]
    names = (frozenset(gates) | aers | _NO_GATES) & native.names
    coupling = None if surroundings.coupling is None else CouplingMap([list(pair) for pair in surroundings.coupling])
    target = Target.from_configuration(
        sorted(names - {"barrier"}),
        num_qubits=surroundings.num_qubits,
        coupling_map=coupling,
        custom_name_mapping=NAME_MAPPING,
    )
    return GateSet(
        label="the device" if coupling is not None else "the noise model",
        remedy="write it with other gates",
        names=names,
        target=target,
        has_open_controls=False,
        pairs=None if surroundings.coupling is None else frozenset(surroundings.coupling),
    )


def check_surroundings(surroundings: Surroundings, spec: JobSpec) -> None:
    """Refuse noise where the method runs none; raises ``CircuitRefused``."""
    if spec.method == _WITHOUT_NOISE:
        raise CircuitRefused(
            f"the method {spec.method!r} runs without noise, and there is a noise model; leave it out, or use the "
            "method superop"
        )


def check_fits(circuit: QuantumCircuit, surroundings: Surroundings) -> None:
    """Refuse a circuit with more qubits than the device; raises ``CircuitRefused``."""
    limit = surroundings.num_qubits
    if limit is not None and circuit.num_qubits > limit:
        raise CircuitRefused(
            f"circuit {brief(circuit.name)} has {circuit.num_qubits} qubits, and the device has {limit}; use fewer "
            "qubits, or another device"
        )


def check_is_felt(surroundings: Surroundings, names: Collection[str], circuits: Iterable[QuantumCircuit]) -> None:
    """Refuse a noise model for gates that no circuit of the job has; raises ``CircuitRefused``.

    ``names`` are all instructions that are run; a label in ``circuits``, as they were submitted, is as good as a name.
    """
    model = surroundings.noise_model
    noisy = set(model.noise_instructions) | ({"delay"} if model._custom_noise_passes else set())
    if not noisy:
        raise CircuitRefused("the noise model has no errors; leave it out, or add some")
    if noisy.isdisjoint(names) and not any(noisy.intersection(_labels(circuit)) for circuit in circuits):
        raise CircuitRefused(
            f"the noise model is for {_listing(noisy)}, and the circuits have {_listing(set(names) - _NO_GATES)}; "
            "translate them to its gates, or use a noise model for theirs"
        )


def is_noisy_in_time(surroundings: Surroundings | None, circuit: QuantumCircuit) -> bool:
    """Tell whether Aer adds quantum errors to the circuit itself: to its delays."""
    passes = () if surroundings is None else surroundings.noise_model._custom_noise_passes
    return bool(passes) and "delay" in circuit.count_ops()


def _labels(circuit: QuantumCircuit) -> Iterator[str]:
    for instruction in circuit.data:
        if instruction.label is not None:
            yield instruction.label
        if instruction.is_control_flow():
            for block in instruction.operation.blocks:
                yield from _labels(block)


def _listing(names: Collection[str]) -> str:
    shown = list(_in_order(names))
    return ", ".join(shown[:_SHOWN_NAMES]) + (", …" if len(shown) > _SHOWN_NAMES else "")


def _in_order(names: Collection[str]) -> Iterator[str]:
    yield from (brief(name) for name in sorted(names))
