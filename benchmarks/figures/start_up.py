"""The CPU time of commands, against importing the libraries that they stand on. The worker's own time is not in it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qiskit import qasm2

from benchmarks.circuits import BELL
from benchmarks.figures.children import aerjob, environment, spent_by
from benchmarks.figures.figure import Bench, Figure, Line, Sample, Setting, interleaved
from benchmarks.site import site_in

_LIGHT = ("status", "list", "wait", "worker status")
_WITHOUT_STORE = ("--help", "--version", "completion of a word", "completion of an id")
_BOTH, _TYPER = "import typer, sqlalchemy", "import typer"


@contextmanager
def _set_up(setting: Setting) -> Iterator[Bench]:
    with site_in(setting.folder / "home") as site:
        site.start_worker()
        job = site.provider.get_backend("qasm_simulator").run(qasm2.loads(BELL))
        job.result()
        env = environment(site.home)
        file = setting.folder / "bell.qasm"
        file.write_text(BELL)
        commands = {
            _BOTH: [sys.executable, "-c", _BOTH],
            _TYPER: [sys.executable, "-c", _TYPER],
            "status": aerjob("status", job.job_id()),
            "list": aerjob("list"),
            "wait": aerjob("wait", "--quiet", job.job_id()),
            "worker status": aerjob("worker", "status"),
            "--help": aerjob("--help"),
            "--version": aerjob("--version"),
            "completion of a word": aerjob("__complete", "bash", "st"),
            "completion of an id": aerjob("__complete", "bash", "status", job.job_id()[:2]),
            "submit": aerjob("submit", str(file)),
        }
        programs = {name: _cpu_of(command, env) for name, command in commands.items()}
        interleaved(programs, repeats=1, number=0)
        yield Bench(lambda number: interleaved(programs, repeats=setting.repeats, number=number))


def _cpu_of(command: list[str], env: dict[str, str]) -> Callable[[], float]:
    return lambda: spent_by(command, env).cpu_s


def _against(name: str, other: str) -> Callable[[Sample], float]:
    return lambda sample: sample[name] / sample[other]


START_UP = Figure(
    "start-up",
    "CPU time of commands",
    (
        *(
            Line(f"{name}, against {_BOTH}", _against(name, _BOTH), at_most=1.25, source="bound")
            for name in (*_LIGHT, *_WITHOUT_STORE)
        ),
        *(
            Line(f"{name}, against {_TYPER}", _against(name, _TYPER), at_most=2, source="aim")
            for name in (*_LIGHT, *_WITHOUT_STORE)
        ),
        Line("submit of a small file, against status", _against("submit", "status"), at_most=1.5, source="aim"),
        Line(f"{_BOTH}", lambda s: 1000 * s[_BOTH], unit="ms"),
    ),
    _set_up,
)
