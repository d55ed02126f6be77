"""The closed list of options, compared with Aer's own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

from aerjob_cli.codec.options import (
    AER_OPTIONS,
    OPTIONS,
    RULED_ELSEWHERE,
    SEED_LIMIT,
    SHOTS_LIMIT,
    SUBMISSION_OPTIONS,
    Option,
    check_options,
)
from aerjob_cli.errors import InputRefused


def test_every_option_of_aer_is_either_ours_or_ruled_elsewhere() -> None:
    aers = set(AerSimulator().options.__dict__)
    own = {"optimization_level", "measure_all"}
    assert set(OPTIONS) | set(RULED_ELSEWHERE) == aers | own
    assert not set(OPTIONS) & set(RULED_ELSEWHERE)
    assert set(AER_OPTIONS) | set(SUBMISSION_OPTIONS) == set(OPTIONS)


def an_example(name: str, option: Option) -> Any:
    default = getattr(AerSimulator().options, name)
    if default is not None:
        return default
    return {bool: False, int: int(option.minimum or 1), float: 0.5, str: (option.words or ("",))[0]}[option.kind]


@pytest.mark.parametrize("name", sorted(AER_OPTIONS))
def test_aer_takes_what_the_table_takes(name: str) -> None:
    value = an_example(name, AER_OPTIONS[name])
    # An int stays an int here where Aer's default is one, so that our conversion is what Aer sees.
    (checked,) = check_options({name: value}).values()
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    assert AerSimulator().run(circuit, shots=10, **{name: checked}).result().get_counts() == {"0": 10}


def test_good_options_come_back_in_python_s_types() -> None:
    given = {
        "shots": np.int64(10),
        "seed_simulator": SEED_LIMIT,
        "memory": np.True_,
        "zero_threshold": 0,
        "fusion_max_qubit": None,
        "precision": "single",
    }
    checked = check_options(given)
    expected = {"shots": 10, "seed_simulator": SEED_LIMIT, "memory": True, "zero_threshold": 0.0, "precision": "single"}
    assert checked == expected
    assert {name: type(value) for name, value in checked.items()} == {
        name: type(value) for name, value in expected.items()
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shots", 0),
        ("shots", -1),
        ("shots", SHOTS_LIMIT + 1),
        ("shots", 1.0),
        ("shots", "10"),
        ("shots", True),
        ("seed_simulator", -1),
        ("seed_simulator", SEED_LIMIT + 1),
        ("seed_simulator", math.nan),
        ("memory", 1),
        ("memory", "yes"),
        ("zero_threshold", math.nan),
        ("zero_threshold", math.inf),
        ("zero_threshold", -0.1),
        ("zero_threshold", [0.1]),
        ("precision", "triple"),
        ("precision", 1),
        ("method", "superop"),
        ("optimization_level", 4),
        ("fusion_max_qubit", 0),
    ],
)
def test_bad_values_are_refused_by_name_value_and_range(name: str, value: Any) -> None:
    with pytest.raises(InputRefused) as caught:
        check_options({name: value})
    assert f"{name!r} is {value!r}; it must be" in caught.value.message
    assert caught.value.fields["option"] == name


def test_an_unknown_option_comes_with_near_misses() -> None:
    with pytest.raises(InputRefused, match="'shot'; did you mean 'shots'"):
        check_options({"shot": 1})
    with pytest.raises(InputRefused, match="no option is called 'zzzz'; the documentation lists"):
        check_options({"zzzz": None})


@pytest.mark.parametrize("name", sorted(RULED_ELSEWHERE))
def test_what_a_job_has_no_say_in_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(InputRefused, match=f"'{name}' cannot be set: "):
        check_options({name: 1})
