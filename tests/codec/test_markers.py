"""Results of any shape: written and read again they are what they were, whatever a user put into them."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st
from qiskit.quantum_info import (
    Clifford,
    DensityMatrix,
    Operator,
    StabilizerState,
    Statevector,
    SuperOp,
    random_clifford,
)
from qiskit.result import ProbDistribution
from qiskit_aer.backends import compatibility

from aerjob_cli.codec.arrays import ArrayNotStorable, decode_npy, encode_npy
from aerjob_cli.codec.markers import Marking, restore
from aerjob_cli.codec.strict_json import NotJson
from tests.support.values import same


def through_bytes(value: Any) -> Any:
    """Give what comes back of a value that was stored."""
    marking = Marking()
    text = json.dumps(marking.mark(value), allow_nan=False)
    arrays = {name: encode_npy(array) for name, array in marking.arrays.items()}
    return restore(json.loads(text), {name: decode_npy(data) for name, data in arrays.items()})


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers(allow_nan=True)
    | st.text(alphabet=st.characters(), max_size=8)
    | st.binary(max_size=8)
    | st.sampled_from([np.float64(0.5), np.float32(-0.0), np.int64(7), np.bool_(True), np.complex64(1j), np.str_("é")])
    | numpy_st.from_dtype(np.dtype("<f4"))
)
# Names that look like ours are the ones to try.
KEYS = st.text(max_size=4) | st.sampled_from(["$npy", "$", "$$", "$$npy", "$object", "$tuple", "data", "a.0", "A"])
ARRAYS = numpy_st.arrays(numpy_st.scalar_dtypes(), numpy_st.array_shapes(min_dims=0, min_side=0, max_side=3))
VALUES = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.integers() | st.tuples(st.integers()) | st.floats(allow_nan=False), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(VALUES)
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_any_nested_value_comes_back_as_it_was(value: Any) -> None:
    assert same(through_bytes(value), value)


@given(st.dictionaries(KEYS, ARRAYS | st.lists(ARRAYS, max_size=3), max_size=4))
@settings(deadline=None)
def test_no_two_arrays_have_one_name(value: dict[str, Any]) -> None:
    marking = Marking()
    marking.mark(value)
    count = sum(len(item) if isinstance(item, list) else 1 for item in value.values())
    assert len({name.lower() for name in marking.arrays}) == count
    assert all(
        set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.~")
        for name in marking.arrays
    )


def test_arrays_are_called_by_where_they_are() -> None:
    marking = Marking()
    marking.mark({"statevector": Statevector([1, 0]), "list": [np.zeros(1), (np.zeros(1),)], "../x": np.zeros(1)})
    assert list(marking.arrays) == ["statevector", "list.0", "list.1.0", "___x"]


def test_plain_values_need_no_marker() -> None:
    marking = Marking()
    value = {"counts": {"0x0": 5}, "list": [1, 2.5, None, "é"]}
    assert marking.mark(value) == value
    assert not marking.arrays


MATRIX = np.array([[0.6, 0.8j], [0.8, -0.6j]])


@pytest.mark.parametrize("module", [None, compatibility])
@pytest.mark.parametrize("is_fortran", [False, True])
def test_states_and_operators_keep_class_dimensions_and_bits(module: Any, is_fortran: bool) -> None:
    kinds = {"Statevector": Statevector, "DensityMatrix": DensityMatrix, "Operator": Operator, "SuperOp": SuperOp}
    matrix = np.kron(np.kron(MATRIX, MATRIX), np.eye(1))
    matrix = np.asfortranarray(matrix) if is_fortran else np.ascontiguousarray(matrix)
    for name, base in kinds.items():
        kind = base if module is None else getattr(module, name)
        one = kind(matrix[0].copy()) if name == "Statevector" else kind(matrix)
        back = through_bytes(one)
        assert type(back) is kind
        assert same(back.data, one.data)
        assert back.data.flags.f_contiguous == one.data.flags.f_contiguous
        if name in ("Statevector", "DensityMatrix"):
            assert back.dims() == one.dims()
        else:
            assert (back.input_dims(), back.output_dims()) == (one.input_dims(), one.output_dims())
    odd = through_bytes(Statevector(np.ones(6) / math.sqrt(6), dims=(2, 3)))
    assert odd.dims() == (2, 3)


def test_stabilizer_states_cliffords_and_distributions_come_back() -> None:
    clifford = random_clifford(3, seed=4)
    for kind in (StabilizerState, compatibility.StabilizerState):
        back = through_bytes(kind(clifford))
        assert type(back) is kind
        assert back.clifford == clifford
    assert type(through_bytes(clifford)) is Clifford
    distribution = through_bytes(ProbDistribution({0: 0.25, 3: 0.75}, shots=8))
    assert type(distribution) is ProbDistribution
    assert (dict(distribution), distribution.shots) == ({0: 0.25, 3: 0.75}, 8)


@pytest.mark.parametrize("value", [object(), {1, 2}, np.array([None]), np.zeros(1, dtype=[("a", "f8")]), print])
def test_what_cannot_be_told_is_refused(value: Any) -> None:
    marking = Marking()
    with pytest.raises((NotJson, ArrayNotStorable)):
        marking.mark({"label": value})


@pytest.mark.parametrize(
    "content",
    [
        {"$npy": "missing"},
        {"$object": "os.system", "data": "ls"},
        {"$object": "Statevector"},
        {"$unknown": 1},
        {"$tuple": [], "$npy": "x"},
        {"$scalar": ["|O", "00"]},
        {"$scalar": ["<f8", "00"]},
    ],
)
def test_markers_that_are_none_of_ours_are_refused(content: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        restore(content, {})
