"""What a worker costs that has nothing to do: wake-ups, CPU, memory."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.circuits import two_qubit_texts
from benchmarks.figures.figure import Bench, Figure, Line, Sample, Setting
from benchmarks.meters import Family, pss_mb, rss_mb, scheduled_s, wake_ups
from benchmarks.site import site_in

_SETTLED_AFTER_S = 3.0


@contextmanager
def _set_up(setting: Setting) -> Iterator[Bench]:
    from qiskit import qasm2

    with site_in(setting.folder / "home") as site:
        site.start_worker()
        backend = site.provider.get_backend("qasm_simulator")
        for job in backend.run_many([qasm2.loads(text) for text in two_qubit_texts(40, random.Random(0))]):
            job.wait_for_final_state()
        family = Family.of(site.worker())

        def measure(_: int) -> Sample:
            time.sleep(_SETTLED_AFTER_S)
            began_s = time.perf_counter()
            woken, spent_s = _of_all(family)
            time.sleep(setting.idle_s)
            woken_then, spent_then_s = _of_all(family)
            seconds = time.perf_counter() - began_s
            return {
                "wake-ups": (woken_then - woken) / seconds,
                "cpu": 100 * (spent_then_s - spent_s) / seconds,
                "supervisor": rss_mb(family.worker),
                "template": pss_mb(family.template),
                "all": sum(pss_mb(pid) for pid in family.pids),
            }

        yield Bench(measure)


def _of_all(family: Family) -> tuple[int, float]:
    return sum(wake_ups(pid) for pid in family.pids), sum(scheduled_s(pid) for pid in family.pids)


IDLE = Figure(
    "idle",
    "a worker with its template and executors that has nothing to do",
    (
        Line("wake-ups", lambda s: s["wake-ups"], unit="/s", at_most=2, source="bound"),
        Line("CPU", lambda s: s["cpu"], unit="%", at_most=0.2, source="bound"),
        Line("supervisor, RSS", lambda s: s["supervisor"], unit="MB", at_most=60, source="bound"),
        Line("template, PSS", lambda s: s["template"], unit="MB", at_most=150, source="bound"),
        Line("all processes, PSS", lambda s: s["all"], unit="MB"),
    ),
    _set_up,
)
