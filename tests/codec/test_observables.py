"""Observables as they are typed: what they mean, and what is refused before anything is stored."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aerjob_cli.codec.observables import Estimation, decode_estimation, encode_estimation, parse_observables
from aerjob_cli.errors import CircuitRefused, InputRefused, UsageError


def test_a_sum_is_read_and_written() -> None:
    found = parse_observables(["ZZ", "XX=0.5", "IY=-2", "YI=-1e-3"], 0.01)
    assert found == Estimation((("ZZ", 1.0), ("XX", 0.5), ("IY", -2.0), ("YI", -0.001)), 0.01)
    assert found.in_words() == "ZZ + 0.5 XX - 2 IY - 0.001 YI"
    assert found.num_qubits == 2
    assert parse_observables(["X=-1"], None) == Estimation((("X", -1.0),), 0.0)
    assert parse_observables([f"{'I' * at}Z{'I' * (6 - at)}" for at in range(7)], None).in_words().endswith(" + …")


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.text("IXYZ", min_size=3, max_size=3), st.floats(1e-7, 1e300), min_size=1), st.floats(0, 1e9))
def test_every_number_comes_back_as_it_was(terms: dict[str, float], precision: float) -> None:
    typed = parse_observables([f"{label}={number!r}" for label, number in terms.items()], precision)
    assert typed == Estimation(tuple(terms.items()), precision)
    assert decode_estimation(encode_estimation(typed), "observables") == typed


@pytest.mark.parametrize("texts", [["=1"], [""], ["ZZ="], ["ZZ", "ZZ=2"]])
def test_what_has_no_form_is_a_usage_error(texts: list[str]) -> None:
    with pytest.raises(UsageError):
        parse_observables(texts, None)


@pytest.mark.parametrize(
    ("texts", "precision", "fact"),
    [
        (["ZQ"], None, "'Q'"),
        (["zz"], None, "'z'"),
        (["ZZ", "X"], None, "not of one length"),
        (["ZZ=much"], None, "'much'"),
        (["ZZ=nan"], None, "'nan'"),
        (["ZZ=1e400"], None, "'1e400'"),
        (["ZZ=0"], None, "'0'"),
        (["ZZ=1e-9"], None, "leaves out"),
        (["ZZ"], -0.1, "-0.1"),
        (["ZZ"], float("nan"), "nan"),
        (["ZZ"], float("inf"), "inf"),
    ],
)
def test_what_cannot_be_is_refused(texts: list[str], precision: float | None, fact: str) -> None:
    with pytest.raises(InputRefused, match=fact):
        parse_observables(texts, precision)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"terms":[],"precision":0}', b'{"terms":[["Z",1],["ZZ",1]]}', b"\xff"])
def test_bytes_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(CircuitRefused, match="cannot be read"):
        decode_estimation(data, "observables")
