"""One small circuit through a warm worker, from Python and from the shell, against bare Aer and an empty program."""

from __future__ import annotations

import itertools
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qiskit import QuantumCircuit, qasm2
from qiskit_aer import AerSimulator

from benchmarks.circuits import BELL, two_qubit_texts
from benchmarks.figures.children import aerjob, environment, spent_by
from benchmarks.figures.figure import Bench, Figure, Line, Sample, Setting, interleaved
from benchmarks.site import site_in

_EMPTY_PROGRAM = [sys.executable, "-c", "import typer, sqlalchemy"]
# The threads of bare Aer look for more to do for some ms after a call, and take a core from whoever comes next.
_BETWEEN_S = 0.02
_CALLS_FOR_EACH_REPEAT = 3  # a call takes milliseconds, a command half a second


@contextmanager
def _set_up(setting: Setting) -> Iterator[Bench]:
    with site_in(setting.folder / "home") as site:
        backend = site.provider.get_backend("qasm_simulator")
        bare = AerSimulator()
        site.start_worker()
        env = environment(site.home)
        file = setting.folder / "bell.qasm"
        file.write_text(BELL)
        numbers = itertools.count()

        def run(runner: Callable[[QuantumCircuit], object]) -> Callable[[], float]:
            def timed() -> float:
                # Other circuits each time, parsed before the clock starts.
                before, circuit = (qasm2.loads(text) for text in two_qubit_texts(2, random.Random(next(numbers))))
                time.sleep(_BETWEEN_S)
                # After a pause both take several milliseconds longer: each follows on one of its kind.
                runner(before)
                began_s = time.perf_counter()
                runner(circuit)
                return time.perf_counter() - began_s

            return timed

        calls = {
            "bare": run(lambda circuit: bare.run(circuit).result()),
            "durable": run(lambda circuit: backend.run(circuit).result()),
        }
        commands = {
            "run": aerjob("run", "--quiet", str(file)),
            "submit --wait": aerjob("submit", "--wait", "--quiet", str(file)),
            "empty program": _EMPTY_PROGRAM,
        }
        programs = {name: _wall_of(command, env) for name, command in commands.items()}
        interleaved({**calls, **programs}, repeats=3, number=0)

        def measure(number: int) -> Sample:
            return {
                **interleaved(calls, repeats=_CALLS_FOR_EACH_REPEAT * setting.repeats, number=number),
                **interleaved(programs, repeats=max(3, setting.repeats // 2), number=number),
            }

        yield Bench(measure)


def _wall_of(command: list[str], env: dict[str, str]) -> Callable[[], float]:
    return lambda: spent_by(command, env).wall_s


LATENCY = Figure(
    "latency",
    "one small circuit through a warm worker, wall time",
    (
        Line(
            "backend.run(circuit).result(), more than bare Aer",
            lambda s: 1000 * (s["durable"] - s["bare"]),
            unit="ms",
            at_most=10,
            source="bound",
        ),
        Line("backend.run(circuit).result() against bare Aer", lambda s: s["durable"] / s["bare"]),
        Line("aerjob run against import typer, sqlalchemy", lambda s: s["run"] / s["empty program"]),
        Line("aerjob submit --wait against the same", lambda s: s["submit --wait"] / s["empty program"]),
    ),
    _set_up,
)
