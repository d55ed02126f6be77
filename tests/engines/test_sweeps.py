"""Sweeps: each point is an experiment, with Aer's order and seeds, however the job is cut."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit_aer import AerSimulator

from aerjob_cli.api.run_inputs import sweep_of
from aerjob_cli.codec import sweeps
from aerjob_cli.codec.program import Program
from aerjob_cli.codec.sweeps import Sweep, Table
from aerjob_cli.engines.aer import AerEngine
from aerjob_cli.engines.base import Engine, Plan
from aerjob_cli.engines.basic import BasicEngine
from aerjob_cli.errors import CircuitRefused
from tests.engines.conftest import MakeSpec

THETA, PHI = Parameter("θ"), Parameter("φ")


def rotations() -> list[QuantumCircuit]:
    first = QuantumCircuit(1, 1, name="first")
    first.rx(2 * THETA, 0)
    first.rz(PHI, 0)
    first.measure(0, 0)
    second = QuantumCircuit(2, 1, name="second")
    second.ry(PHI, 0)
    second.cx(0, 1)
    second.measure(1, 0)
    plain = QuantumCircuit(1, 1, name="plain")
    plain.h(0)
    plain.measure(0, 0)
    return [first, second, plain]


BINDS: list[dict[Any, list[float]]] = [{THETA: [0.1, 0.2, 0.3], PHI: [1.0, 2.0, 3.0]}, {PHI: [0.5, 0.6]}, {}]


def test_a_sweep_gives_what_aers_parameter_binds_give(make_spec: MakeSpec) -> None:
    circuits = rotations()
    program = Program(circuits, sweep=sweep_of(BINDS, circuits))
    spec = make_spec(memory=True)
    assert AerEngine().check(program, spec) == Plan(6, 1)
    expected = AerSimulator().run(
        circuits, parameter_binds=BINDS, shots=100, seed_simulator=5, memory=True, max_parallel_threads=1
    )
    missing = [(4, 6), (0, 2), (2, 4)]
    found = {run.index: run for chunk in AerEngine().run(program, spec, missing) for run in chunk}
    for index, theirs in enumerate(expected.result().results):
        ours = found[index].result
        assert (ours.data.to_dict(), ours.seed_simulator) == (theirs.data.to_dict(), theirs.seed_simulator)
        assert ours.header == theirs.header


def test_an_engine_without_sweeps_of_its_own_runs_them_too(make_spec: MakeSpec) -> None:
    circuits = rotations()
    program = Program(circuits, sweep=sweep_of(BINDS, circuits))
    spec = make_spec(backend="basic_simulator", method="statevector")
    assert BasicEngine().check(program, spec) == Plan(6, 1)
    runs = [run for chunk in BasicEngine().run(program, spec, [(0, 6)]) for run in chunk]
    assert [run.name for run in runs] == ["first"] * 3 + ["second"] * 2 + ["plain"]


def test_elements_of_a_vector_are_named_with_their_index(make_spec: MakeSpec) -> None:
    angles = ParameterVector("a", 2)
    circuit = QuantumCircuit(2, 2)
    circuit.rx(angles[0], 0)
    circuit.rx(angles[1], 1)
    circuit.measure([0, 1], [0, 1])
    sweep = Sweep((Table(("a[0]", "a[1]"), ((math.pi, 0.0), (0.0, math.pi))),))
    ((first, *others),) = AerEngine().run(Program([circuit], sweep=sweep), make_spec(), [(0, 1)])
    assert (first.result.data.counts, others) == ({"0x1": 100}, [])


@pytest.mark.parametrize("engine", [AerEngine(), BasicEngine()])
@pytest.mark.parametrize(
    ("table", "words"),
    [
        (Table(("θ",), ((0.1,),)), "'first' has parameters without a value: φ"),
        (Table(("θ", "φ", "ω"), ((0.1, 0.2, 0.3),)), "no circuit has a parameter 'ω'; there is 'θ', 'φ'"),
    ],
)
def test_values_that_do_not_fit_are_refused(make_spec: MakeSpec, engine: Engine, table: Table, words: str) -> None:
    is_basic = isinstance(engine, BasicEngine)
    spec = make_spec(**({"backend": "basic_simulator", "method": "statevector"} if is_basic else {}))
    with pytest.raises(CircuitRefused) as caught:
        engine.check(Program(rotations()[:1], sweep=Sweep((table,))), spec)
    assert words in caught.value.message or words.replace("'θ', 'φ'", "'φ', 'θ'") in caught.value.message


def test_a_point_at_which_an_angle_is_no_number_is_refused(make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.rx(1 / THETA, 0)
    circuit.measure(0, 0)
    table = Table(("θ",), ((1.0,), (0.0,)))
    with pytest.raises(CircuitRefused):
        AerEngine().check(Program([circuit], sweep=Sweep((table,))), make_spec())


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=50, deadline=None, database=None)
@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=5))
def test_values_come_back_bit_for_bit(points: list[tuple[float, float]]) -> None:
    sweep = Sweep((Table(("θ", "a[0]"), tuple(points)),))
    assert repr(sweeps.decode(sweeps.encode(sweep), "parameters")) == repr(sweep)
    for index, point in enumerate([*points, *points]):
        assert list(sweep.over(2).values_of(index).values()) == list(point)


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b'{"tables": [{"names": ["a"], "points": []}]}',
        b'{"tables": [{"names": ["a"], "points": [[1, 2]]}]}',
    ],
)
def test_what_is_no_sweep_is_refused(data: bytes) -> None:
    with pytest.raises(CircuitRefused, match="is damaged"):
        sweeps.decode(data, "parameters")
