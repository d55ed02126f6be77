"""`--bind`, `--sweep`, `--zip` and `--sweep-file`: what they give, and what they refuse before anything is stored."""

from __future__ import annotations

import csv
import io
import math
import os
import signal
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Parameter, ParameterVector
from qiskit_aer import AerSimulator
from sqlalchemy import Connection

from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.cli.noise_options import noise_payloads
from aerjob_cli.cli.outcomes import read_outcomes
from aerjob_cli.cli.sweep_options import sweep_payloads
from aerjob_cli.codec import noise_models, sweeps
from aerjob_cli.codec.envelope import NOISE_TEXT
from aerjob_cli.codec.noise_texts import parse_noise
from aerjob_cli.codec.sweeps import Table
from aerjob_cli.errors import IdempotencyConflict
from aerjob_cli.states import Status
from aerjob_cli.store import experiments
from aerjob_cli.store.records import JobRecord
from tests.cli.conftest import Put, Quick
from tests.support.command_line import CommandLine
from tests.support.running import scene_in

THETA, PHI = Parameter("theta"), Parameter("phi")
INPUT = """OPENQASM 3.0;
include "stdgates.inc";
input float theta;
input angle phi;
qubit q;
bit c;
ry(theta + phi) q;
c = measure q;
"""


def turned(name: str = "turned") -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name=name)
    circuit.ry(THETA, 0)
    circuit.rx(PHI, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def table(
    *, bind: tuple[str, ...] = (), sweep: tuple[str, ...] = (), is_zipped: bool = False, file: str | None = None
) -> Table:
    """Give the values that these options mean."""
    (payload,) = sweep_payloads(bind=bind, sweep=sweep, is_zipped=is_zipped, file=file)
    (found,) = sweeps.decode(payload.data, payload.name).tables
    return found


@pytest.fixture
def qpy_file(tmp_path: Path) -> Path:
    path = tmp_path / "turned.qpy"
    with open(path, "wb") as file:
        qpy.dump(turned(), file)
    return path


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("0.3", 0.3),
        (" -2e-3 ", -0.002),
        ("pi", math.pi),
        ("-pi/4", -math.pi / 4),
        ("2*pi", 2 * math.pi),
        ("3pi/2", 3 * math.pi / 2),
        ("π", math.pi),
        ("+0.5*π/2", math.pi / 4),
    ],
)
def test_numbers_as_people_write_them(word: str, value: float) -> None:
    assert table(bind=(f"theta={word}",)) == Table(("theta",), ((value,),))


def test_a_range_has_both_ends_and_a_list_its_own_order() -> None:
    assert table(sweep=("a=0:1:5",)).points == ((0.0,), (0.25,), (0.5,), (0.75,), (1.0,))
    assert table(sweep=("a=3:7:1",)).points == ((3.0,),)
    assert table(sweep=("a=1,0.5,pi",)).points == ((1.0,), (0.5,), (math.pi,))


def test_several_are_a_grid_or_go_together_and_constants_stand_last() -> None:
    grid = table(sweep=("a=0,1", "b=5,6,7"), bind=("c=9",))
    assert grid == Table(("a", "b", "c"), tuple((a, b, 9.0) for a, b in product((0.0, 1.0), (5.0, 6.0, 7.0))))
    assert table(sweep=("a=0,1", "b=5,6"), is_zipped=True).points == ((0.0, 5.0), (1.0, 6.0))


def test_a_name_may_have_brackets_and_a_sign_of_equality() -> None:
    assert table(bind=("θ[0]=1", "a=b=2")).names == ("θ[0]", "a=b")


FINITE = st.floats(-1e300, 1e300)


@settings(max_examples=60, deadline=None, database=None)
@given(FINITE, FINITE, st.integers(2, 40))
def test_a_range_stays_within_its_ends(start: float, stop: float, count: int) -> None:
    values = [point[0] for point in table(sweep=(f"a={start!r}:{stop!r}:{count}",)).points]
    assert (values[0], values[-1], len(values)) == (start, stop, count)
    np.testing.assert_allclose(values, np.linspace(start, stop, count), rtol=1e-9, atol=abs(stop - start) * 1e-12)


@settings(max_examples=40, deadline=None, database=None)
@given(points=st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=5), newline=st.sampled_from(["\n", "\r\n"]))
def test_a_csv_file_gives_its_numbers_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, points: list[tuple[float, float]], newline: str
) -> None:
    lines = ["\ufeffa , b[0]", *(f"{one!r},{other!r}" for one, other in points), ""]
    path = tmp_path_factory.getbasetemp() / "points.csv"
    path.write_bytes((newline + newline).join(lines).encode())
    assert table(file=str(path)) == Table(("a", "b[0]"), tuple(points))


FILES = {
    "dup.csv": "theta,theta\n1,2\n",
    "none.csv": "theta\n",
    "word.csv": "theta\n1\nx\n",
    "short.csv": "theta,phi\n1\n",
    "noname.csv": ",phi\n1,2\n",
    "inf.csv": "theta\ninf\n",
    "open.csv": 'theta\n"1\n',
    "long.csv": f"theta\n{'1' * 200_000}\n",
    "empty.csv": "",
    "many.csv": "theta\n" + "1\n" * 100_001,
}


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("--bind", "theta"), 2, "--bind 'theta' sets no parameter; write for example theta=0.3"),
        (("--bind", "=1"), 2, "sets no parameter"),
        (("--bind", "theta="), 2, "sets no parameter"),
        (("--bind", "theta=x"), 2, "has 'x', which is no number; write 0.3 or pi/4"),
        (("--bind", "theta=1_0"), 2, "which is no number"),
        (("--bind", "theta=pi/0"), 2, "which is no number"),
        (("--bind", "theta=0.1,0.2"), 2, "which is no number"),
        (("--bind", "theta=nan"), 6, "which is not finite"),
        (("--bind", "theta=1", "--bind", "theta=2"), 2, "the parameter 'theta' is given twice"),
        (("--bind", "theta=1", "--sweep", "theta=0:1:2"), 2, "the parameter 'theta' is given twice"),
        (("--sweep", "theta=0:1"), 2, "is not START:STOP:COUNT"),
        (("--sweep", "theta=0:1:0"), 2, "is not START:STOP:COUNT"),
        (("--sweep", "theta=0:1:2.5"), 2, "is not START:STOP:COUNT"),
        (("--sweep", "theta=0:1:100001"), 6, "has 100001 points; a job may have 100000, so take fewer"),
        (("--sweep", "theta=1,,2"), 2, "has '', which is no number"),
        (("--sweep", "theta=-1e308:1e308:3"), 6, "is wider than a number can be"),
        (("--sweep", "theta=0:1e999:3"), 6, "which is not finite"),
        (("--sweep", "theta=0:1:400", "--sweep", "phi=0:1:400"), 6, "the grid has 160000 points; a job may have"),
        (("--zip", "--sweep", "theta=0:1:2"), 2, "--zip goes through several --sweep together"),
        (("--zip", "--sweep", "theta=0:1:2", "--sweep", "phi=0:1:3"), 2, "there are theta 2, phi 3"),
        (("--sweep-file", "dup.csv"), 2, "the parameter 'theta' is given twice"),
        (("--sweep-file", "word.csv", "--sweep", "phi=0:1:2"), 2, "both say where the points are"),
        (("--sweep-file", "none.csv"), 6, "none.csv has no points"),
        (("--sweep-file", "word.csv"), 6, "row 3 of word.csv has 'x', which is no number"),
        (("--sweep-file", "short.csv"), 6, "row 2 of short.csv has 1 values for 2 parameters"),
        (("--sweep-file", "noname.csv"), 6, "has a column without a name"),
        (("--sweep-file", "inf.csv"), 6, "row 2 of inf.csv has 'inf', which is not finite"),
        (("--sweep-file", "open.csv"), 6, "open.csv is not CSV"),
        (("--sweep-file", "long.csv"), 6, "long.csv is not CSV"),
        (("--sweep-file", "empty.csv"), 6, "empty.csv is empty; write CSV into it"),
        (("--sweep-file", "many.csv"), 6, "the sweep has 100001 points; a job may have 100000"),
        (("--sweep-file", "missing.csv"), 6, "cannot be read"),
        (("--sweep-file", "-", "--noise-model", "-"), 2, "stdin can be read once"),
    ],
)
def test_refused_before_anything_is_stored(
    quick: Quick,
    qpy_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    exit_code: int,
    words: str,
) -> None:
    monkeypatch.chdir(qpy_file.parent)
    name = next((word for word in arguments if word in FILES), None)
    if name is not None:
        Path(name).write_text(FILES[name])
    error = quick.json("submit", "turned.qpy", *arguments, exit_code=exit_code)["error"]
    assert words in error["message"]
    assert quick.json("list")["jobs"] == []


def test_a_grid_is_one_job_with_a_point_an_experiment(working: CommandLine, qpy_file: Path) -> None:
    grid = ("--sweep", "theta=0:pi:3", "--sweep", "phi=0,1")
    (job,) = working.json("submit", "--wait", qpy_file, "--seed", "7", *grid)["jobs"]
    assert (job["experiments_done"], job["experiments_total"]) == (6, 6)
    found = working.json("result", job["job_id"])["experiments"]
    points = [{"theta": theta, "phi": phi} for theta in (0.0, math.pi / 2, math.pi) for phi in (0.0, 1.0)]
    assert [experiment["parameters"] for experiment in found] == points
    binds = {parameter: [point[parameter.name] for point in points] for parameter in (THETA, PHI)}
    expected = AerSimulator().run(
        turned(), parameter_binds=[binds], shots=1024, seed_simulator=7, max_parallel_threads=1
    )
    assert [experiment["counts"] for experiment in found] == [
        expected.result().get_counts(index) for index in range(len(points))
    ]
    rows = list(csv.DictReader(io.StringIO(working("result", job["job_id"], "--format", "csv", "--top", "1").stdout)))
    assert [(float(row["theta"]), float(row["phi"])) for row in rows] == [tuple(point.values()) for point in points]
    assert list(rows[0])[2:6] == ["name", "theta", "phi", "outcome"]
    assert "phi = 1" in working("result", job["job_id"], "--experiment", "3", "--experiment", "1").stdout
    (again,) = working.json("retry", job["job_id"])["jobs"]
    assert working("wait", again["job_id"], "--timeout", "2m").returncode == 0
    assert working.json("result", again["job_id"])["experiments"] == found


def test_inputs_of_openqasm_3_have_values(working: CommandLine) -> None:
    (working.folder / "in.qasm").write_text(INPUT)
    values = ("--sweep", "theta=0,pi/2", "--bind", "phi=pi/2")
    (job,) = working.json("submit", "--wait", "in.qasm", *values, "--seed", "1")["jobs"]
    first, second = working.json("result", job["job_id"])["experiments"]
    assert 400 < first["counts"]["0"] < 624
    assert second["counts"] == {"1": 1024}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "has parameters without a value"),
        (("--bind", "theta=1"), "has parameters without a value: phi; give them some, as --bind phi=0.3"),
        (("--bind", "nope=1"), "no circuit has a parameter 'nope'; there is 'phi', 'theta'"),
    ],
)
def test_what_validation_refuses(working: CommandLine, qpy_file: Path, arguments: tuple[str, ...], words: str) -> None:
    value = working.json("submit", "--wait", qpy_file, *arguments, exit_code=6)
    assert words in value["jobs"][0]["message"]


def test_circuits_times_points_have_a_limit(working: CommandLine) -> None:
    with open(working.folder / "two.qpy", "wb") as file:
        qpy.dump([turned(), turned()], file)
    value = working.json("submit", "--wait", "two.qpy", "--sweep", "theta=0:1:50001", "--bind", "phi=0", exit_code=6)
    assert "the sweep makes 100002 experiments of 2 circuits" in value["jobs"][0]["message"]


def test_a_vector_is_given_element_by_element(working: CommandLine) -> None:
    angles = ParameterVector("θ", 2)
    circuit = QuantumCircuit(2, 2)
    circuit.rx(angles[0], 0)
    circuit.rx(angles[1], 1)
    circuit.measure([0, 1], [0, 1])
    with open(working.folder / "vector.qpy", "wb") as file:
        qpy.dump(circuit, file)
    (job,) = working.json("submit", "--wait", "vector.qpy", "--bind", "θ[0]=pi", "--bind", "θ[1]=0")["jobs"]
    (experiment,) = working.json("result", job["job_id"])["experiments"]
    assert experiment["counts"] == {"01": 1024}


def test_a_key_stands_for_its_sweep_and_its_noise_too(put: Put) -> None:
    def submitted(sweep: str, *more: CircuitBytes) -> str:
        values = sweep_payloads(bind=(), sweep=(sweep,), is_zipped=False, file=None)
        return put(beside=(*values, *more), idempotency_key="k").job_id

    first = submitted("theta=0:1:3")
    assert submitted("theta=0:1:3") == first
    for other in ((), (CircuitBytes("noise", NOISE_TEXT, b"depolarizing:p1=0.1"),)):
        with pytest.raises(IdempotencyConflict):
            submitted("theta=0:1:3" if other else "theta=0:1:4", *other)


WIDTH, POINTS = 8, 24


def long_circuit() -> QuantumCircuit:
    circuit = QuantumCircuit(WIDTH, WIDTH, name="long")
    for layer in range(12):
        for qubit in range(WIDTH):
            circuit.u(THETA, 0.1 * layer, 0.2 * qubit, qubit)
        for qubit in range(layer % 2, WIDTH - 1, 2):
            circuit.cx(qubit, qubit + 1)
    circuit.measure(range(WIDTH), range(WIDTH))
    return circuit


def attempts(tx: Connection, job: JobRecord) -> dict[int, int]:
    """Say which points have a stored result, and which attempt ran each."""
    return {item.position: item.attempt for item in experiments.results_of(tx, job.seq)}


def test_a_noisy_sweep_whose_worker_is_killed_goes_on_with_the_points_that_are_missing(tmp_path: Path) -> None:
    file = io.BytesIO()
    qpy.dump(long_circuit(), file)
    with scene_in(tmp_path / "home") as scene:
        (job,) = scene.put(
            Request(
                circuits=(CircuitBytes("long", "qpy", file.getvalue()),),
                beside=(
                    *noise_payloads(text="depolarizing:p1=0.01,p2=0.02", file=None, like=None),
                    *sweep_payloads(bind=(), sweep=(f"theta=0:1:{POINTS}",), is_zipped=False, file=None),
                ),
                backend="aer_simulator",
                shots=200,
                seed=3,
            )
        )
        worker = scene.start_worker("--slots", "1")
        scene.wait(lambda tx: attempts(tx, job) or None)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        before = scene.peek(lambda tx: attempts(tx, job))
        assert before
        assert len(before) < POINTS, "too late to be in the middle"
        scene.start_worker("--slots", "1")
        done = scene.wait_for_status(job, Status.DONE)
        after = scene.peek(lambda tx: attempts(tx, job))
        assert after == {point: before.get(point, 2) for point in range(POINTS)}
        found = [outcome.counts for outcome in read_outcomes(scene.client, done)]
    noise = noise_models.depolarizing(parse_noise("depolarizing:p1=0.01,p2=0.02"))
    binds = {THETA: [step * (1.0 / (POINTS - 1)) for step in range(POINTS - 1)] + [1.0]}
    expected = AerSimulator().run(
        long_circuit(),
        parameter_binds=[binds],
        noise_model=noise.noise_model,
        shots=200,
        seed_simulator=3,
        max_parallel_threads=1,
    )
    assert found == [expected.result().get_counts(point) for point in range(POINTS)]
