"""`plot`: pictures that show what was measured, and not a word on stderr."""

from __future__ import annotations

import colorsys
import io
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit, qpy

from aerjob_cli.cli.answers.arrays import ArrayContent, ArrayElement, LargestElements
from aerjob_cli.cli.pictures.bars import Labelling, amplitude_bars, bar_figure, count_bars, phase_colour
from aerjob_cli.cli.pictures.canvas import drawn
from tests.cli.conftest import Put
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine

# For mathtext, for fonts, and for terminals.
NAME = r"量子もつれ $\frac{ $ %s " + "\N{CUNEIFORM SIGN A}\N{BELL}\x1b[31m" + "x" * 100
BEGINNINGS = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<?xml", "pdf": b"%PDF-"}


@dataclass(frozen=True)
class Jobs:
    """The ids of jobs that have ended."""

    named: str
    several: str
    state: str
    unitary: str


@pytest.fixture(scope="module")
def jobs(working_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    folder = tmp_path_factory.mktemp("circuits")
    aerjob = CommandLine(working_home, folder)
    (folder / "state.qasm").write_text(BELL.replace("measure q -> c;", "").replace("creg c[2];", ""))
    circuit = QuantumCircuit(2, 2, name=NAME)
    circuit.h(0)
    circuit.measure([0, 1], [0, 1])
    for name, circuits in (("named", [circuit]), ("several", [circuit, circuit])):
        with open(folder / f"{name}.qpy", "wb") as file:
            qpy.dump(circuits, file)

    def submitted(*arguments: str) -> str:
        done = aerjob("submit", "--quiet", *arguments)
        assert done.returncode == 0, done
        return done.stdout.strip()

    found = Jobs(
        named=submitted("named.qpy", "--seed", "7"),
        several=submitted("several.qpy", "--seed", "7"),
        state=submitted("state.qasm", "--backend", "statevector_simulator"),
        unitary=submitted("state.qasm", "--backend", "unitary_simulator"),
    )
    assert aerjob("wait", *vars(found).values(), "--timeout", "2m").returncode == 0
    return found


@pytest.mark.parametrize("suffix", ["png", "SVG", "pdf"])
def test_a_picture_in_each_format(working: CommandLine, jobs: Jobs, suffix: str) -> None:
    done = working("plot", jobs.named, "-o", f"picture.{suffix}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    data = (working.folder / f"picture.{suffix}").read_bytes()
    assert data.startswith(BEGINNINGS[suffix.lower()])
    assert len(data) > 4000


def test_no_home_no_display_no_settings(working: CommandLine, jobs: Jobs) -> None:
    assert working("plot", jobs.named, "-o", "one.png").returncode == 0
    (working.folder / "matplotlibrc").write_text("text.usetex: True\nfigure.dpi: 20\n")
    environment = {"HOME": "/proc/none", "MPLBACKEND": "none", "MPLCONFIGDIR": "", "XDG_CONFIG_HOME": "/proc/none"}
    done = working("plot", jobs.named, "-o", "two.png", env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    # The same job gives the same bytes, wherever it is drawn.
    assert (working.folder / "one.png").read_bytes() == (working.folder / "two.png").read_bytes()


def test_what_is_drawn(working: CommandLine, jobs: Jobs) -> None:
    value = working.json("plot", jobs.named, "-o", "a.svg")
    assert (value["job_id"], value["experiment"], value["drawn"], value["file"]) == (jobs.named, 0, "counts", "a.svg")
    assert working.json("plot", jobs.state, "-o", "b.svg")["drawn"] == "statevector"
    assert working.json("plot", jobs.state, "-o", "c.svg", "--array", "statevector")["drawn"] == "statevector"
    assert (working.folder / "b.svg").read_bytes() == (working.folder / "c.svg").read_bytes()
    assert working.json("plot", jobs.several, "-o", "d.svg", "--experiment", "1")["experiment"] == 1


@pytest.mark.parametrize(
    ("job", "arguments", "code", "word"),
    [
        ("several", (), "usage", "--experiment"),
        ("several", ("--experiment", "2"), "no_such_experiment", "0 to 1"),
        ("unitary", (), "no_array", "unitary"),
        ("unitary", ("--array", "unitary"), "no_array", "no statevector"),
        ("state", ("--array", "other"), "no_array", "it has statevector"),
        ("named", ("--array", "other"), "no_array", "counts"),
    ],
)
def test_what_cannot_be_drawn(
    working: CommandLine, jobs: Jobs, job: str, arguments: tuple[str, ...], code: str, word: str
) -> None:
    error = working.json("plot", getattr(jobs, job), "-o", "x.png", *arguments, exit_code=2)["error"]
    assert error["code"] == code
    assert word in error["message"]
    assert not list(working.folder.iterdir())


def test_what_is_seen_before_waiting(idle: CommandLine, put: Put) -> None:
    put()
    (idle.folder / "there.png").write_text("mine")
    for output, word in (
        ("there.png", "--force"),
        ("picture", ".png, .svg, .pdf"),
        ("picture.gif", ".png, .svg, .pdf"),
        ("png", ".png, .svg, .pdf"),
        ("-", ".png, .svg, .pdf"),
        ("nowhere/picture.png", "no such folder"),
    ):
        done = idle("plot", "last", "--wait", "-o", output, timeout=60)
        assert (done.returncode, done.stdout) == (2, "")
        assert word in done.stderr
    assert idle("plot", "last", "-o", "picture.png").returncode == 8
    assert idle.json("plot", "last", "--partial", "-o", "p.png", exit_code=2)["error"]["code"] == "no_array"


def test_without_matplotlib(idle: CommandLine, put: Put) -> None:
    put()
    (idle.folder / "sitecustomize.py").write_text("import sys\nsys.modules['matplotlib'] = None\n")
    done = idle("plot", "last", "--wait", "-o", "picture.png", env={"PYTHONPATH": str(idle.folder)}, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "pip install 'aerjob-cli[plot]'" in line


def test_bars_of_counts() -> None:
    bars = count_bars({"11": 50, "00": 40, "01": 7, "10": 3}, top=2)
    assert [(bar.label, bar.height, bar.text) for bar in bars] == [
        ("00", 40, "40"),
        ("11", 50, "50"),
        ("rest (2)", 10, "10"),
    ]
    assert [bar.label for bar in count_bars({"11": 50, "00": 40}, top=2)] == ["00", "11"]


def test_bars_of_amplitudes() -> None:
    elements = (ArrayElement((2,), -0.8), ArrayElement((1,), 0.5j))
    largest = LargestElements(elements, norm=1.0, left_out=2, weight_left_out=0.11)
    bars = amplitude_bars(ArrayContent("s", (4,), "complex128", 64, "", qubits=2, largest=largest))
    assert [(bar.label, bar.text) for bar in bars] == [("01", "0.250"), ("10", "0.640"), ("rest (2)", "0.110")]
    assert [bar.height for bar in bars] == pytest.approx([0.25, 0.64, 0.11])
    assert [bar.colour for bar in bars[:2]] == [phase_colour(1j), phase_colour(-1)]


def test_phases_go_once_around_the_colours() -> None:
    hues = [colorsys.rgb_to_hls(*phase_colour(complex(math.cos(angle), math.sin(angle))))[0] for angle in range(6)]
    turns = [(hue - hues[0]) % 1 * math.tau for hue in hues]
    assert turns == pytest.approx(list(range(6)))


def test_the_picture_has_bars_of_the_right_heights() -> None:
    from matplotlib.image import imread

    labelling = Labelling("name", "1 shot", "counts", has_phases=False)
    bars = count_bars({"00": 100, "11": 25}, top=9)
    pixels = imread(io.BytesIO(drawn(lambda: bar_figure(bars, labelling), form="png")))[..., :3]
    is_blue = np.all(np.abs(pixels - np.array([0x64, 0x8F, 0xFF]) / 255) < 0.02, axis=-1)
    heights = is_blue.sum(axis=0)
    columns = np.flatnonzero(heights)
    middle = (columns[0] + columns[-1]) // 2
    left, right = heights[:middle].max(), heights[middle:].max()
    assert right / left == pytest.approx(0.25, abs=0.02)


def test_labels_of_many_bars_do_not_overlap() -> None:
    from matplotlib.figure import Figure

    bars = count_bars({f"{number:020b}": 1000 + number for number in range(32)}, top=32)
    kept: list[Figure] = []

    def draw() -> Figure:
        kept.append(bar_figure(bars, Labelling("n" * 300, "s", "counts", has_phases=True)))
        return kept[0]

    drawn(draw, form="png")
    (figure,) = kept
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].get_xticklabels()]
    assert len(boxes) == 32
    assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))
    assert figure.axes[0].title.get_window_extent().x1 <= figure.bbox.x1
