"""The PUBs of Qiskit's primitives (circuit, observables, parameter values, shots or precision) to and from bytes.

They are one archive: ``circuits`` with each circuit once, however many PUBs it is in, ``pubs.json`` with markers, and
the arrays of parameter values as ``.npy``. Observables are written as Paulis with their coefficients; JSON keeps these
to the bit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from aerjob_cli.codec import bundle, strict_json
from aerjob_cli.codec.arrays import ArrayNotStorable, decode_npy, encode_npy
from aerjob_cli.codec.circuits import decode_circuits, encode_circuits
from aerjob_cli.codec.envelope import sha256_hex
from aerjob_cli.codec.fingerprints import fingerprint
from aerjob_cli.codec.markers import Marking, restore
from aerjob_cli.errors import CircuitRefused

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.primitives.containers.estimator_pub import EstimatorPub
    from qiskit.primitives.containers.observables_array import ObservablesArray
    from qiskit.primitives.containers.sampler_pub import SamplerPub

    Pub: TypeAlias = SamplerPub | EstimatorPub

_CIRCUITS = "circuits"
_PUBS = "pubs.json"
_NPY = ".npy"


def encode_pubs(pubs: Sequence[Pub]) -> bytes:
    """Write PUBs, all for a sampler or all for an estimator, with their shots or precision.

    Raises ``CircuitRefused`` for a circuit that would not come back as it was.
    """
    places, circuits = _distinct(pubs)
    return _packed(circuits, *_marked(pubs, places))


def encode_pubs_to_compare(pubs: Sequence[Pub]) -> tuple[bytes, str | None]:
    """Write PUBs as ``encode_pubs`` does, and give a checksum that is the same for PUBs that mean the same.

    It is None where there is no telling.
    """
    places, circuits = _distinct(pubs)
    marked, arrays = _marked(pubs, places)
    packed = _packed(circuits, marked, arrays)
    of_circuits = fingerprint(circuits)
    if of_circuits is None:
        return packed, None
    of_arrays = {name: sha256_hex(array) for name, array in arrays.items()}
    return packed, sha256_hex(strict_json.dumps({"circuits": of_circuits, "pubs": marked, "arrays": of_arrays}))


def _packed(circuits: Sequence[QuantumCircuit], marked: Any, arrays: Mapping[str, bytes]) -> bytes:
    format, data = encode_circuits(circuits)
    return bundle.pack(
        {
            _CIRCUITS: data,
            _PUBS: strict_json.dumps({"circuits": format, "pubs": marked}),
            **{name + _NPY: array for name, array in arrays.items()},
        }
    )


def _distinct(pubs: Sequence[Pub]) -> tuple[dict[int, int], list[QuantumCircuit]]:
    """Give each circuit once, and the place of each by its id."""
    places: dict[int, int] = {}
    circuits: list[QuantumCircuit] = []
    for pub in pubs:
        if places.setdefault(id(pub.circuit), len(circuits)) == len(circuits):
            circuits.append(pub.circuit)
    return places, circuits


def _marked(pubs: Sequence[Pub], places: dict[int, int]) -> tuple[Any, dict[str, bytes]]:
    """Give what is said of the PUBs, with markers for their arrays, and these as ``.npy`` by their names."""
    marking = Marking()
    marked = marking.mark([{"circuit": places[id(pub.circuit)], **_fields(pub)} for pub in pubs], ("pubs",))
    return marked, {name: encode_npy(array) for name, array in marking.arrays.items()}


def decode_pubs(data: bytes, name: str) -> list[Pub]:
    """Read what ``encode_pubs`` wrote; raises ``CircuitRefused`` for anything else."""
    try:
        parts = bundle.unpack(data)
        content = json.loads(parts[_PUBS])
        circuits = decode_circuits(content["circuits"], parts[_CIRCUITS], name)
        arrays = {part.removesuffix(_NPY): decode_npy(parts[part]) for part in parts if part.endswith(_NPY)}
        return [_pub(circuits[fields["circuit"]], fields) for fields in restore(content["pubs"], arrays)]
    except (ValueError, TypeError, LookupError, AttributeError, ArrayNotStorable) as error:
        raise CircuitRefused(f"the PUBs of {name} cannot be read ({error}); run them again") from error


def _fields(pub: Pub) -> dict[str, Any]:
    values = pub.parameter_values
    fields: dict[str, Any] = {
        "values": [[list(names), array] for names, array in values.data.items()],
        "shape": list(values.shape),
    }
    if not hasattr(pub, "observables"):
        return fields | {"shots": None if pub.shots is None else int(pub.shots)}
    return fields | {
        "observables": _terms(pub.observables),
        "observables_shape": list(pub.observables.shape),
        "precision": None if pub.precision is None else float(pub.precision),
    }


def _terms(observables: ObservablesArray) -> list[list[list[Any]]]:
    """Give the Paulis and coefficients of each observable, in the order in which an estimator adds them up."""
    flat = observables.ravel().tolist()
    return [[[str(label), float(coefficient)] for label, coefficient in terms.items()] for terms in flat]


def _pub(circuit: QuantumCircuit, fields: dict[str, Any]) -> Pub:
    from qiskit.primitives.containers.bindings_array import BindingsArray
    from qiskit.primitives.containers.estimator_pub import EstimatorPub
    from qiskit.primitives.containers.sampler_pub import SamplerPub

    values = BindingsArray({tuple(names): array for names, array in fields["values"]}, shape=tuple(fields["shape"]))
    if "observables" not in fields:
        return SamplerPub(circuit, values, fields["shots"])
    observables = observables_of(fields["observables"], tuple(fields["observables_shape"]))
    return EstimatorPub(circuit, observables, values, fields["precision"])


def observables_of(terms: Sequence[Sequence[tuple[str, float]]], shape: tuple[int, ...]) -> ObservablesArray:
    """Make an array of observables of that shape, each of Paulis and coefficients; raises ``ValueError``."""
    from qiskit.primitives.containers.observables_array import ObservablesArray

    array = np.empty(len(terms), dtype=object)
    array[:] = [{label: coefficient for label, coefficient in observable} for observable in terms]  # noqa: C416
    return ObservablesArray(array.reshape(shape))
