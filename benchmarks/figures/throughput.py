"""A thousand different two-qubit circuits as a thousand durable jobs, against bare Aer, Huey and RQ.

Of a queue, the clock starts when its worker, which was stopped while the jobs were queued, goes on, and stops when the
last result is committed. Bare Aer keeps nothing: its clock is around the loop.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec

from aerjob_cli.settings import usable_cores
from benchmarks.circuits import two_qubit_texts
from benchmarks.durable_jobs import DurableJobs
from benchmarks.figures.children import told_by
from benchmarks.figures.figure import Bench, Figure, Line, Sample, Setting, in_turn
from benchmarks.peers.huey_queue import huey_queue
from benchmarks.peers.rq_queue import rq_queue, why_not
from benchmarks.site import site_in


@contextmanager
def _set_up(setting: Setting) -> Iterator[Bench]:
    cores = usable_cores()
    left_out: dict[str, str] = {}
    with ExitStack() as stack:
        site = stack.enter_context(site_in(setting.folder / "home"))
        site.start_worker()
        durable = DurableJobs(site)
        others: dict[str, Callable[[list[str]], float]] = {}
        if find_spec("huey") is None:
            left_out["huey"] = "huey is not installed"
        else:
            others["huey"] = stack.enter_context(huey_queue(setting.folder, processes=cores)).seconds_for
        if (missing := why_not()) is not None:
            left_out["rq"] = missing
        else:
            others["rq"] = stack.enter_context(rq_queue(setting.folder, processes=cores)).seconds_for

        def measure(number: int) -> Sample:
            texts = two_qubit_texts(setting.jobs, random.Random(number))
            contenders: dict[str, Callable[[], Sample]] = {
                "bare": lambda: bare_loop(texts),
                "bare, one thread": lambda: bare_loop(texts, threads=1),
                "queued": lambda: _queued(durable, texts),
                "submitted": lambda: {"": durable.submitted_s(texts)},
                "texts": lambda: {"": durable.texts_s(texts)},
                **{name: _timed(seconds_for, texts) for name, seconds_for in others.items()},
            }
            return {**in_turn(contenders, number), "jobs": setting.jobs}

        yield Bench(measure, left_out)


def bare_loop(texts: list[str], *, threads: int | None = None) -> Sample:
    """Measure bare Aer over the texts, in one fresh process that has warmed up."""
    warm_up = two_qubit_texts(20, random.Random(0))
    given = {"texts": [*warm_up, *texts], "threads": threads}
    told = told_by("benchmarks.peers.bare_loop", given=given)
    return {"": told["wall_s"], "cpu": told["cpu_s"]}


def _queued(durable: DurableJobs, texts: list[str]) -> Sample:
    seconds, spent = durable.queued(texts)
    return {"": seconds, "cpu": spent.all_s, "worker cpu": spent.worker_s}


def _bare_s(sample: Sample) -> float:
    # With the threads that are its default Aer waits for cores where others have them, and one thread does better.
    return min(sample["bare"], sample["bare, one thread"])


def _bare_cpu_s(sample: Sample) -> float:
    return min(sample["bare cpu"], sample["bare, one thread cpu"])


def _timed(seconds_for: Callable[[list[str]], float], texts: list[str]) -> Callable[[], Sample]:
    return lambda: {"": seconds_for(texts)}


THROUGHPUT = Figure(
    "throughput",
    "different two-qubit circuits as durable jobs, until the last result is committed; jobs/s against peers",
    (
        Line("queued jobs against bare Aer", lambda s: _bare_s(s) / s["queued"], at_least=1.0, source="bound"),
        Line("queued jobs against bare Aer", lambda s: _bare_s(s) / s["queued"], at_least=1.5, source="aim"),
        Line("… with run_many() of circuits on the clock", lambda s: _bare_s(s) / s["submitted"]),
        Line("… with submission and validation of texts on the clock", lambda s: _bare_s(s) / s["texts"]),
        Line("queued jobs against Huey on SQLite", lambda s: s["huey"] / s["queued"]),
        Line("queued jobs against RQ with Redis", lambda s: s["rq"] / s["queued"]),
        Line("CPU time for a queued job against bare Aer's", lambda s: s["queued cpu"] / _bare_cpu_s(s)),
        Line("… of which the worker's", lambda s: s["queued worker cpu"] / _bare_cpu_s(s)),
        Line("bare Aer", lambda s: s["jobs"] / _bare_s(s), unit="jobs/s"),
        Line("queued jobs", lambda s: s["jobs"] / s["queued"], unit="jobs/s"),
    ),
    _set_up,
)
