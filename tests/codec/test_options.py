"""The closed list of options, compared with Aer's own."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

from aerjob_cli.catalog import SIMULATORS, Option
from aerjob_cli.codec.option_tables import AER_OPTIONS, RULED_ELSEWHERE, SEED_LIMIT, SHOTS_LIMIT
from aerjob_cli.codec.options import check_options, options_of, parse_option
from aerjob_cli.errors import InputRefused, UnknownBackend, UsageError

QASM = "qasm_simulator"


def test_every_option_of_aer_is_either_ours_or_ruled_elsewhere() -> None:
    aers = set(AerSimulator().options.__dict__)
    # Values of parameters are an argument of its `run()`.
    own = {"optimization_level", "measure_all", "save_state", "transpile", "parameter_binds"}
    assert set(options_of("aer_simulator")) | set(RULED_ELSEWHERE) == aers | own
    assert not set(options_of("aer_simulator")) & set(RULED_ELSEWHERE)
    assert set(AER_OPTIONS) <= set(options_of("aer_simulator"))
    assert set(options_of(QASM)) == set(options_of("aer_simulator"))


def test_each_simulator_has_the_options_that_mean_something_to_it() -> None:
    common = {"shots", "seed_simulator", "memory", "method", "optimization_level", "transpile"}
    assert set(options_of("basic_simulator")) == common | {"measure_all"}
    for name in ("statevector_simulator", "unitary_simulator"):
        options = set(options_of(name))
        assert common | {"fusion_enable", "precision", "max_parallel_shots"} <= options
        assert not [option for option in options if option.startswith(("mps_", "extended_", "stabilizer_", "matrix_"))]
        assert "save_state" not in options, "they save it always"
    assert "measure_all" in options_of("statevector_simulator")
    assert "measure_all" not in options_of("unitary_simulator")
    for name, simulator in SIMULATORS.items():
        assert options_of(name)["method"].words == simulator.methods
        assert simulator.method in simulator.methods
    with pytest.raises(UnknownBackend):
        options_of("no_simulator")


def test_the_methods_are_those_of_the_installed_aer() -> None:
    aers = set(AerSimulator().available_methods())
    assert set(SIMULATORS["aer_simulator"].methods) == aers
    for simulator in SIMULATORS.values():
        assert set(simulator.methods) <= aers


def an_example(name: str, option: Option) -> Any:
    default = getattr(AerSimulator().options, name)
    if default is not None:
        return default
    return {bool: False, int: int(option.minimum or 1), float: 0.5, str: (option.words or ("",))[0]}[option.kind]


@pytest.mark.parametrize("name", sorted(AER_OPTIONS))
def test_aer_takes_what_the_table_takes(name: str) -> None:
    value = an_example(name, AER_OPTIONS[name])
    # An int stays an int here where Aer's default is one, so that our conversion is what Aer sees.
    (checked,) = check_options({name: value}, QASM).values()
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
    checked = check_options(given, QASM)
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
        check_options({name: value}, QASM)
    assert f"{name!r} is {value!r}; it must be" in caught.value.message
    assert caught.value.fields["option"] == name


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("shots", 10**400, f"1{'0' * 59}…"),
        ("chop_threshold", 10**400, f"1{'0' * 59}…"),
        ("zero_threshold", -(10**400), f"-1{'0' * 58}…"),
        ("shots", np.array([100]), "array([100])"),
        ("zero_threshold", np.array([1]), "array([1])"),
    ],
)
def test_numbers_that_no_option_takes_are_refused_in_short(name: str, value: Any, shown: str) -> None:
    with pytest.raises(InputRefused) as caught:
        check_options({name: value}, QASM)
    assert f"{name!r} is {shown}; it must be" in caught.value.message


def test_a_number_too_long_to_be_written_is_refused() -> None:
    with pytest.raises(InputRefused, match="'shots' is a number of thousands of digits; it must be"):
        check_options({"shots": 10**5000}, QASM)


def test_an_unknown_option_comes_with_near_misses() -> None:
    with pytest.raises(InputRefused, match="qasm_simulator has no option 'shot'; did you mean 'shots'"):
        check_options({"shot": 1}, QASM)
    with pytest.raises(InputRefused, match="has no option 'zzzz'; they are those of Qiskit Aer's AerSimulator"):
        check_options({"zzzz": None}, QASM)
    with pytest.raises(InputRefused, match="'zzzz'; there is measure_all, memory, method, optimization_level, "):
        check_options({"zzzz": None}, "basic_simulator")
    with pytest.raises(InputRefused, match="unitary_simulator has no option 'mps_lapack'; it is an option of "):
        check_options({"mps_lapack": True}, "unitary_simulator")


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("shots=10", "shots", 10),
        ("shots=+10", "shots", 10),
        ("fusion_enable=false", "fusion_enable", False),
        ("fusion_enable=YES", "fusion_enable", True),
        ("fusion_enable=On", "fusion_enable", True),
        ("fusion_enable=0", "fusion_enable", False),
        ("zero_threshold=1e-8", "zero_threshold", 1e-8),
        ("zero_threshold=1", "zero_threshold", 1.0),
        ("precision=single", "precision", "single"),
        ("method=stabilizer", "method", "stabilizer"),
        ("save_state=true", "save_state", True),
        ("transpile=no", "transpile", False),
    ],
)
def test_words_of_the_command_line_are_read_by_the_type_of_the_option(text: str, name: str, value: object) -> None:
    assert parse_option(text, QASM) == (name, value)
    assert type(parse_option(text, QASM)[1]) is type(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shots=ten", "the option 'shots' is 'ten'; it must be a whole number from 1"),
        ("shots=1.5", "'1.5'; it must be a whole number"),
        ("shots=0", "'shots' is '0'; it must be a whole number from 1"),
        ("shots=", "'shots' is ''; it must be"),
        ("shots=1_000", "'1_000'"),
        ("shots=" + "9" * 5000, "it must be a whole number"),
        ("fusion_enable=maybe", "'maybe'; it must be true or false"),
        ("zero_threshold=nan", "'nan'; it must be a finite number from 0.0 to 1.0"),
        ("zero_threshold=1e999", "must be a finite number"),
        ("precision=triple", "'triple'; it must be double or single"),
        ("method=superop", "'superop'; it must be automatic or statevector"),
        ("shot=1", "did you mean 'shots'"),
        ("noise_model=x", "'noise_model' cannot be set: "),
    ],
)
def test_words_that_cannot_be_are_refused(text: str, words: str) -> None:
    with pytest.raises(InputRefused, match=re.escape(words)) as caught:
        parse_option(text, QASM)
    assert caught.value.exit_code == 6


@pytest.mark.parametrize("text", ["shots", "", "=5"])
def test_a_word_without_an_equals_sign_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="write KEY=VALUE"):
        parse_option(text, QASM)


@pytest.mark.parametrize("name", sorted(RULED_ELSEWHERE))
def test_what_a_job_has_no_say_in_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(InputRefused, match=f"'{name}' cannot be set: "):
        check_options({name: 1}, QASM)
