"""PUBs and their results there and back, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.primitives import BitArray, DataBin, PubResult, SamplerPubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub

from aerjob_cli.codec import bundle
from aerjob_cli.codec.arrays import decode_npy, encode_npy
from aerjob_cli.codec.pub_results import encode_pub_result, restore_pub_result
from aerjob_cli.codec.pubs import decode_pubs, encode_pubs
from aerjob_cli.codec.results import ResultNotStorable
from aerjob_cli.errors import CircuitRefused
from tests.support.values import same

ANGLES = st.floats(allow_nan=False, allow_infinity=False, width=64)
COEFFICIENTS = ANGLES.filter(lambda number: 1e-7 < abs(number) < 1e100)
SHAPES = st.lists(st.integers(1, 3), max_size=2).map(tuple)


def ansatz(*, measured: bool = False) -> QuantumCircuit:
    first, last = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(
        QuantumRegister(2), *([ClassicalRegister(2, "out")] if measured else []), name="ansatz", metadata={"depth": [1]}
    )
    circuit.ry(first, 0)
    circuit.cx(0, 1)
    circuit.rz(2 * last + first, 1)
    if measured:
        circuit.measure([0, 1], [1, 0])
    return circuit


@st.composite
def bindings(draw: st.DrawFn) -> dict[tuple[str, ...], Any]:
    """Give values of both parameters, together or apart, of one shape."""
    shape = draw(SHAPES)

    def values(count: int) -> Any:
        size = int(np.prod(shape, dtype=int)) * count
        return np.array(draw(st.lists(ANGLES, min_size=size, max_size=size))).reshape(*shape, count)

    return {("b", "a"): values(2)} if draw(st.booleans()) else {("a",): values(1), ("b",): values(1)}


def _observable(draw: st.DrawFn) -> dict[str, float]:
    return draw(st.dictionaries(st.text("IXYZ", min_size=2, max_size=2), COEFFICIENTS, min_size=1, max_size=4))


@settings(max_examples=5, deadline=None)
@given(st.data())
def test_an_estimators_pubs_come_back_as_they_were(data: st.DataObject) -> None:
    shared = ansatz()
    pubs = []
    for circuit in (shared, ansatz(), shared):
        values = data.draw(bindings())
        shape = (2, *(1 for _ in next(iter(values.values())).shape[:-1]))
        array = np.empty(shape, dtype=object)
        for place in np.ndindex(shape):
            array[place] = data.draw(st.composite(_observable)())
        pubs.append(EstimatorPub.coerce((circuit, array, values), data.draw(st.floats(0, 1))))
    back = decode_pubs(encode_pubs(pubs), "the job")
    assert back[0].circuit is back[2].circuit is not back[1].circuit
    for one, other in zip(pubs, back, strict=True):
        assert isinstance(other, EstimatorPub)
        assert (one.circuit, one.circuit.metadata, one.shape) == (other.circuit, other.circuit.metadata, other.shape)
        # The order of the terms, too: it is that in which they are added up.
        assert [list(terms.items()) for terms in one.observables.ravel().tolist()] == [
            list(terms.items()) for terms in other.observables.ravel().tolist()
        ]
        assert same(dict(one.parameter_values.data), dict(other.parameter_values.data))
        assert same(one.precision, other.precision)


@settings(max_examples=10, deadline=None)
@given(bindings(), st.integers(1, 2**31 - 1))
def test_a_samplers_pubs_come_back_as_they_were(values: dict[tuple[str, ...], Any], shots: int) -> None:
    pub = SamplerPub.coerce((ansatz(measured=True), values, shots))
    (back,) = decode_pubs(encode_pubs([pub]), "the job")
    assert isinstance(back, SamplerPub)
    assert (back.circuit, back.shape, back.shots) == (pub.circuit, pub.shape, shots)
    assert same(dict(back.parameter_values.data), dict(pub.parameter_values.data))


@pytest.mark.parametrize("what", ["none", "half", "other", "circuit", "array"])
def test_what_are_no_pubs_is_refused(what: str) -> None:
    good = encode_pubs([SamplerPub.coerce((ansatz(measured=True), [0.1, 0.2]), 10)])
    parts = bundle.unpack(good)
    bad = {
        "none": b"",
        "half": good[: len(good) // 2],
        "other": bundle.pack({**parts, "pubs.json": b'{"circuits":"qpy","pubs":[{"circuit":0}]}'}),
        "circuit": bundle.pack({**parts, "pubs.json": parts["pubs.json"].replace(b'"circuit":0', b'"circuit":7')}),
        "array": bundle.pack({name: part for name, part in parts.items() if not name.endswith(".npy")}),
    }
    with pytest.raises(CircuitRefused, match="cannot be read"):
        decode_pubs(bad[what], "the job")


def reread(result: PubResult) -> PubResult:
    encoded = encode_pub_result(result, name="circuit", shots=10, seed=2**63 - 1)
    arrays = {name: decode_npy(encode_npy(array)) for name, array in encoded.arrays}
    assert encode_pub_result(result, name="circuit", shots=10, seed=2**63 - 1).data == encoded.data
    return restore_pub_result(encoded.data, arrays)


def test_results_come_back_to_the_bit() -> None:
    bits = BitArray(np.random.default_rng(1).integers(0, 2, (2, 3, 5, 2), dtype=np.uint8), 9)
    metadata = {"shots": 5, "circuit_metadata": {"x": [1, None]}, "target": np.float32(0.1), "pair": (1, 2j)}
    samples = SamplerPubResult(DataBin(z=bits, a=bits[:, :], Z=bits, shape=(2, 3)), metadata)
    scalar = PubResult(DataBin(evs=np.array(-0.0), stds=np.array(np.nan), shape=()))
    for result in (samples, scalar, PubResult(DataBin())):
        back = reread(result)
        assert type(back) is type(result)
        assert same(back, result)
    assert list(reread(samples).data) == ["z", "a", "Z"]


def test_times_are_not_kept() -> None:
    metadata = {"simulator_metadata": {"time_taken_execute": 0.5, "parallel_experiments": 2, "omp_enabled": True}}
    assert reread(PubResult(DataBin(), metadata)).metadata == {"simulator_metadata": {"omp_enabled": True}}


@pytest.mark.parametrize("value", [object(), np.array([object()])])
def test_what_cannot_be_kept_is_refused(value: object) -> None:
    with pytest.raises(ResultNotStorable):
        encode_pub_result(PubResult(DataBin(), {"value": value}), name="circuit", shots=1, seed=0)
