"""What is told of arrays and other data, compared with NumPy and with the codec; no job is run."""

from __future__ import annotations

import hashlib
import json
import math
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from qiskit.quantum_info import Clifford, StabilizerState, random_clifford

from aerjob_cli.api.stored_arrays import StoredArray
from aerjob_cli.cli.array_views import content_of, load_array
from aerjob_cli.cli.plain_data import array_name, plain, stabilizers, tableau_name
from aerjob_cli.codec.arrays import encode_npy
from aerjob_cli.codec.envelope import NPY
from aerjob_cli.codec.markers import Marking
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.objects import put_if_large
from aerjob_cli.store.records import Payload


def stored_bytes(data: bytes, paths: StorePaths | None = None) -> StoredArray:
    """Give bytes as those of a stored array, in the database or as an object of the store in ``paths``."""
    sha256 = hashlib.sha256(data).hexdigest()
    inline = data if paths is None else put_if_large(paths, sha256, data)
    payload = Payload("a", NPY, sha256, len(data), inline)
    return StoredArray("a", len(data), sha256, paths or StorePaths(Path("/nowhere")), lambda: nullcontext(payload))


def stored(array: np.ndarray[Any, Any], paths: StorePaths | None = None) -> StoredArray:
    return stored_bytes(encode_npy(array), paths)


NUMBERS = arrays.arrays(
    dtype=st.sampled_from([np.complex128, np.complex64, np.float64, np.int32, np.uint8, np.bool_]),
    shape=arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6),
)


@given(NUMBERS)
def test_an_array_comes_back_and_is_described(array: np.ndarray[Any, Any]) -> None:
    for ordered in (array, np.asfortranarray(array)):
        told = content_of(stored(ordered), qubits=0, listed=None)
        assert (told.shape, told.dtype, told.largest) == (ordered.shape, array.dtype.name, None)
        back = load_array(stored(ordered))
        assert back.dtype == array.dtype
        assert back.tobytes() == array.tobytes()


@given(
    arrays.arrays(np.complex128, st.integers(0, 60), elements=st.sampled_from([0, 1, -1, 1j, 0.5, 2 - 1j])),
    st.integers(1, 70),
)
def test_the_largest_elements(array: np.ndarray[Any, Any], listed: int) -> None:
    largest = content_of(stored(array), qubits=0, listed=listed).largest
    assert largest is not None
    order = sorted((index for index in range(array.size) if array[index]), key=lambda index: -abs(array[index]))
    assert [element.index for element in largest.elements] == [(index,) for index in order[:listed]]
    assert [element.value for element in largest.elements] == [array[index] for index in order[:listed]]
    assert largest.left_out == len(order[listed:])
    assert largest.norm == pytest.approx(np.linalg.norm(array))
    assert largest.weight_left_out == pytest.approx(sum(abs(array[index]) ** 2 for index in order[listed:]))


@pytest.mark.parametrize("shape", [(2**21,), (2, 2**20)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_largest_elements_of_a_file_in_more_than_one_part(
    shape: tuple[int, ...], order: Literal["C", "F"], tmp_path: Path
) -> None:
    paths = StorePaths(tmp_path)
    paths.incoming.mkdir(parents=True)
    random = np.random.default_rng(7)
    array = random.normal(size=shape)
    largest = content_of(stored(np.asarray(array, order=order), paths), qubits=21, listed=40).largest
    assert largest is not None
    places = [int(np.ravel_multi_index(element.index, shape)) for element in largest.elements]
    assert places == np.argsort(-np.abs(array).reshape(-1))[:40].tolist()
    assert [element.value for element in largest.elements] == [array.flat[place].item() for place in places]
    assert largest.norm == pytest.approx(np.linalg.norm(array))


def test_an_array_of_another_length_than_it_announces() -> None:
    data = encode_npy(np.ones(4))
    for other in (data[:-8], data + data[-8:]):
        with pytest.raises(ValueError, match="as many elements"):
            content_of(stored_bytes(other), qubits=2, listed=1)


def test_what_is_not_finite_is_seen() -> None:
    largest = content_of(stored(np.array([1.0, math.nan, 3.0, math.inf])), qubits=0, listed=2).largest
    assert largest is not None
    assert [element.index for element in largest.elements] == [(1,), (3,)]


def test_equal_but_for_rounding_is_in_the_order_of_indices() -> None:
    array = np.sqrt(np.array([0.25, 0.25 + 1e-16, 0.25, 0.25 - 1e-16])).astype(complex)
    largest = content_of(stored(array), qubits=2, listed=4).largest
    assert largest is not None
    assert [element.index for element in largest.elements] == [(0,), (1,), (2,), (3,)]


def test_basis_states_are_told_from_other_indices() -> None:
    vector = content_of(stored(np.ones(8, dtype=complex)), qubits=3, listed=1)
    assert vector.is_statevector
    assert vector.labels(vector.largest.elements[0]) == ("000",)  # type: ignore[union-attr]
    assert not content_of(stored(np.ones(8)), qubits=3, listed=1).is_statevector
    assert not content_of(stored(np.ones((8, 8), dtype=complex)), qubits=3, listed=1).is_statevector
    assert content_of(stored(np.ones(4, dtype=complex)), qubits=3, listed=1).qubits is None
    assert content_of(stored(np.ones((), dtype=complex)), qubits=0, listed=1).qubits is None


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY", b"no array at all", b"\x93NUMPY\x01\x00\x05\x00{'a':"])
def test_bytes_that_are_no_array(data: bytes) -> None:
    with pytest.raises(ValueError, match="NumPy's format"):
        content_of(stored_bytes(data), qubits=1, listed=None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.5, 1.5),
        ([1, None, "text", True], [1, None, "text", True]),
        (1 - 2j, [1.0, -2.0]),
        ((1, (2, 3j)), [1, [2, [0.0, 3.0]]]),
        ({0: 0.5, 3: 0.5}, {"0": 0.5, "3": 0.5}),
        ({"$odd": {"$$odder": 1}}, {"$odd": {"$$odder": 1}}),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
        (complex(math.nan, 1), ["nan", 1.0]),
        (np.float32(0.25), 0.25),
        (np.complex128(1 + 2j), [1.0, 2.0]),
        (np.int64(-7), -7),
        (np.uint8(7), 7),
        (np.bool_(True), True),
        (np.float64(math.nan), "nan"),
        (b"\x00\xff", "00ff"),
        ({"x": [np.zeros(2)]}, {"x": [{"array": "label.x.0"}]}),
    ],
)
def test_data_as_plain_json(value: Any, expected: Any) -> None:
    found = plain(Marking().mark(value, ("label",)))
    assert found == expected
    assert type(found) is type(expected)
    json.dumps(found, allow_nan=False)


def test_a_marker_of_a_later_version_is_no_data() -> None:
    with pytest.raises(ValueError, match=r"\$later"):
        plain({"$later": 1})


def test_arrays_by_themselves() -> None:
    assert array_name(Marking().mark(np.zeros(2), ("a",))) == "a"
    assert array_name(Marking().mark([np.zeros(2)], ("a",))) is None
    assert array_name(Marking().mark(0.5, ("a",))) is None


@given(st.integers(1, 6), st.integers(0, 1000))
def test_generators_are_spelled_as_qiskit_does(qubits: int, seed: int) -> None:
    clifford: Clifford = random_clifford(qubits, seed=seed)
    assert stabilizers(clifford.tableau.tolist()) == " ".join(clifford.to_labels(mode="S"))
    marking = Marking()
    name = tableau_name(plain(marking.mark(StabilizerState(clifford), ("state",))))
    assert name is not None
    assert np.array_equal(marking.arrays[name], clifford.tableau)
