"""What is asked of a store with a million jobs, against the same with a thousand.

Commands and, by themselves, the questions that they ask the store are measured by their CPU time: the pages that they
read are in memory, and what else the machine does is not in it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.figures.figure import Bench, Figure, Line, Sample, Setting, interleaved
from benchmarks.figures.store_questions import COMMANDS, QUESTIONS, Questions
from benchmarks.stores import build, bytes_per_job, run_templates

_SMALL = 1000
_QUEUED = 200


@contextmanager
def _set_up(setting: Setting) -> Iterator[Bench]:
    templates = setting.folder / "templates"
    run_templates(templates)
    stores = {"small": _SMALL, "large": setting.store_jobs}
    opened: dict[str, Questions] = {}
    try:
        for name, jobs in stores.items():
            build(setting.folder / name, jobs=jobs, queued=_QUEUED, templates=templates)
            opened[name] = Questions(setting.folder / name, random.Random(1))
        size = bytes_per_job(setting.folder / "large", setting.store_jobs)
        contenders = {
            kind: {
                f"{store} {kind} {name}": ask
                for store, asked in opened.items()
                for name, ask in getattr(asked, kind)().items()
            }
            for kind in ("questions", "commands")
        }
        interleaved(contenders["questions"], repeats=2, number=0)

        def measure(number: int) -> Sample:
            repeats = setting.repeats
            return {
                **interleaved(contenders["questions"], repeats=repeats, number=number),
                **interleaved(contenders["commands"], repeats=max(3, repeats // 3), number=number),
                "bytes": size,
            }

        yield Bench(measure)
    finally:
        for questions in opened.values():
            questions.close()


def _ratio(kind: str, name: str) -> Callable[[Sample], float]:
    return lambda sample: sample[f"large {kind} {name}"] / sample[f"small {kind} {name}"]


def _large_ms(name: str) -> Callable[[Sample], float]:
    return lambda sample: 1000 * sample[f"large questions {name}"]


STORE_SCALE = Figure(
    "store-scale",
    "a store of many jobs against one of a thousand",
    (
        *(Line(f"aerjob {name}", _ratio("commands", name), at_most=1.5, source="bound") for name in COMMANDS),
        Line("claim", _ratio("questions", "claim"), at_most=1.5, source="bound"),
        *(Line(f"the question alone: {name}", _ratio("questions", name)) for name in QUESTIONS),
        *(Line(f"the question alone, many jobs: {name}", _large_ms(name), unit="ms") for name in QUESTIONS),
        Line("size of the database for each job", lambda s: s["bytes"], unit="bytes"),
    ),
    _set_up,
)
