"""`plot` of a sweep: curves over one parameter, a map over two, and what cannot be drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.library import SaveExpectationValue

from aerjob_cli import BasicAerProvider
from aerjob_cli.cli.outcomes import StoredOutcome
from aerjob_cli.cli.pictures.canvas import drawn
from aerjob_cli.cli.pictures.curves import sweep_figure
from aerjob_cli.cli.pictures.measured import Measured
from aerjob_cli.cli.pictures.sweeps import SweepSubject, sweep_subject
from aerjob_cli.errors import AerjobError
from aerjob_cli.store.records import JobRecord
from tests.cli.conftest import Put
from tests.support.command_line import CommandLine

THETA, PHI = Parameter("theta"), Parameter("phi")


@dataclass(frozen=True)
class Jobs:
    """The ids of jobs that have ended."""

    curve: str
    grid: str
    several: str
    state: str
    values: str


def pair() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name="pair")
    circuit.ry(THETA, 0)
    circuit.ry(PHI, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


@pytest.fixture(scope="module")
def jobs(working_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    folder = tmp_path_factory.mktemp("circuits")
    aerjob = CommandLine(working_home, folder)
    state = QuantumCircuit(2, name="state")
    state.ry(THETA, 0)
    for name, circuits in {"pair": [pair()], "two": [pair(), pair()], "state": [state]}.items():
        with open(folder / f"{name}.qpy", "wb") as file:
            qpy.dump(circuits, file)

    def submitted(*arguments: str) -> str:
        return str(aerjob.json("submit", *arguments, "--seed", "7")["jobs"][0]["job_id"])

    valued = state.copy()
    valued.append(SaveExpectationValue(SparsePauliOp("Z"), label="z"), [0])
    provider = BasicAerProvider(working_home)
    binds = [{THETA: [0.0, math.pi / 2, math.pi]}]
    job = provider.get_backend("aer_simulator").run(valued, parameter_binds=binds)
    provider.client.close()
    found = Jobs(
        curve=submitted("pair.qpy", "--sweep", "theta=0:pi:5", "--bind", "phi=0"),
        grid=submitted("pair.qpy", "--sweep", "theta=0:pi:4", "--sweep", "phi=0:pi:3"),
        several=submitted("two.qpy", "--sweep", "theta=0:pi:2", "--bind", "phi=0"),
        state=submitted("state.qpy", "--backend", "statevector_simulator", "--sweep", "theta=0,pi"),
        values=job.job_id(),
    )
    assert aerjob("wait", *vars(found).values(), "--timeout", "2m").returncode == 0
    return found


@pytest.mark.parametrize(
    ("job", "arguments", "over", "drawn_is"),
    [
        ("curve", (), ["theta"], "counts"),
        ("curve", ("--outcome", "01"), ["theta"], "counts"),
        ("grid", ("--outcome", "11"), ["theta", "phi"], "counts"),
        ("state", (), ["theta"], "statevector"),
        ("values", (), ["theta"], "z"),
        ("values", ("--array", "z"), ["theta"], "z"),
    ],
)
def test_what_of_a_sweep_is_drawn(
    working: CommandLine, jobs: Jobs, job: str, arguments: tuple[str, ...], over: list[str], drawn_is: str
) -> None:
    value = working.json("plot", getattr(jobs, job), "-o", "a.svg", *arguments)
    assert (value["experiment"], value["over"], value["drawn"]) == (None, over, drawn_is)
    assert (working.folder / "a.svg").read_bytes().startswith(b"<?xml")


def test_a_map_says_which_outcome_it_shows(working: CommandLine, jobs: Jobs) -> None:
    done = working("plot", jobs.grid, "-o", "a.png")
    assert (done.returncode, done.stdout) == (0, "")
    assert "drawn is the outcome 0" in done.stderr
    assert "--outcome draws another" in done.stderr


def test_one_point_of_a_sweep_has_bars(working: CommandLine, jobs: Jobs) -> None:
    value = working.json("plot", jobs.curve, "-o", "a.png", "--experiment", "2")
    assert value["experiment"] == 2
    assert "over" not in value


@pytest.mark.parametrize(
    ("job", "arguments", "code", "word"),
    [
        ("several", (), "usage", "several circuits"),
        ("curve", ("--outcome", "111"), "usage", "there is 00, 01"),
        ("curve", ("--outcome", "00", "--experiment", "0"), "usage", "leave it out"),
        ("curve", ("--array", "other"), "no_array", "counts"),
        ("values", ("--array", "other"), "no_array", "z"),
        ("values", ("--outcome", "00"), "usage", "no outcomes"),
    ],
)
def test_what_of_a_sweep_cannot_be_drawn(
    working: CommandLine, jobs: Jobs, job: str, arguments: tuple[str, ...], code: str, word: str
) -> None:
    error = working.json("plot", getattr(jobs, job), "-o", "x.png", *arguments, exit_code=2)["error"]
    assert error["code"] == code
    assert word in error["message"]
    assert not list(working.folder.iterdir())


def subject(
    job: JobRecord,
    points: Sequence[Mapping[str, float]],
    probabilities: Sequence[Mapping[str, float]] | None = None,
    *,
    outcome: str | None = None,
    top: int = 8,
) -> SweepSubject:
    """Give what is drawn of experiments at these points."""
    outcomes = [
        StoredOutcome(
            index=index,
            name="circuit",
            shots=100,
            seed=1,
            qubits=2,
            counts={},
            memory=None,
            data={},
            arrays=(),
            arrays_alone=frozenset(),
            parameters=point,
        )
        for index, point in enumerate(points)
    ]
    found = tuple(probabilities or [{"0": 1.0}] * len(points))
    measured = Measured(drawn="counts", probabilities=found, numbers=({},) * len(points))
    return sweep_subject(job, outcomes, measured, outcome=outcome, top=top)


def test_the_most_frequent_outcomes_have_curves_and_the_rest_one(put: Put) -> None:
    points = [{"a": 0.0, "b": 5.0}, {"a": 1.0, "b": 5.0}]
    found = subject(put(), points, [{"00": 0.5, "01": 0.2, "10": 0.3}, {"11": 0.25, "00": 0.75}], top=2)
    (panel,) = found.panels
    assert [(series.label, series.is_rest) for series in panel.series] == [
        ("00", False),
        ("10", False),
        ("rest (2)", True),
    ]
    assert [series.values for series in panel.series] == [(0.5, 0.75), (0.3, 0.0), pytest.approx((0.2, 0.25))]
    assert [axis.name for axis in found.axes] == ["a"]
    assert found.subtitle == "2 points, 100 shots each, b = 5"


def test_parameters_that_go_together_share_an_axis(put: Put) -> None:
    (axis,) = subject(put(), [{"a": 0.0, "b": 5.0}, {"a": 1.0, "b": 6.0}]).axes
    assert (axis.parameter, axis.name, axis.values) == ("a", "a (with b)", (0.0, 1.0))
    (axis,) = subject(put(), [{"a": 0.0, "b": 5.0}, {"a": 0.0, "b": 6.0}, {"a": 1.0, "b": 7.0}]).axes
    assert axis.name == "b (with a)"


@pytest.mark.parametrize(
    ("points", "word"),
    [
        ([(a, b, c) for a in range(2) for b in range(2) for c in range(2)], "a grid of 3 parameters"),
        ([(0, 0), (0, 0)], "the same values"),
        ([(0, 0), (0, 1), (1, 0), (1, 0)], "neither a curve nor a grid"),
        ([(0, 0), (0, 1), (1, 1), (2, 2), (3, 3), (4, 4)], "neither a curve nor a grid"),
    ],
)
def test_points_that_no_picture_shows(put: Put, points: list[tuple[int, ...]], word: str) -> None:
    with pytest.raises(AerjobError, match=word):
        subject(put(), [dict(zip("abc", map(float, point), strict=False)) for point in points])


def drawn_figure(of: SweepSubject) -> Figure:
    kept: list[Figure] = []

    def draw() -> Figure:
        kept.append(sweep_figure(of))
        return kept[0]

    assert drawn(draw, form="svg").startswith(b"<?xml")
    return kept[0]


def test_a_curve_goes_through_its_points_from_left_to_right(put: Put) -> None:
    found = subject(put(), [{"a": 2.0}, {"a": 0.0}, {"a": 1.0}], [{"0": 0.2}, {"0": 0.0, "1": 1.0}, {"0": 0.1}])
    (axes,) = drawn_figure(found).axes
    zero, one = axes.lines
    assert np.asarray(zero.get_xydata()).tolist() == [[0.0, 0.0], [1.0, 0.1], [2.0, 0.2]]
    assert np.asarray(one.get_ydata()).tolist() == [1.0, 0.0, 0.0]
    assert axes.get_xlabel() == "a"


def test_a_map_has_each_point_in_its_cell_and_holes_where_there_is_none(put: Put) -> None:
    points = [{"a": a, "b": b} for a in (0.0, 1.0) for b in (0.0, 0.5, 1.0)][:5]
    found = subject(put(), points, [{"x": index / 10} for index in range(5)], outcome="x")
    (mesh,) = drawn_figure(found).axes[0].collections
    cells: Any = np.ma.asarray(mesh.get_array()).filled(np.nan)
    assert cells[:, 0].tolist() == [0.0, 0.1, 0.2]
    assert cells[:2, 1].tolist() == [0.3, 0.4]
    assert np.isnan(cells[2, 1])
