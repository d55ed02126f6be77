"""Running experiments one after the other, and giving what has ended about ten times a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from aerjob_cli.engines.base import ExperimentRun

CHUNK_S = 0.1


def in_chunks(missing: Sequence[tuple[int, int]], run: Callable[[int], ExperimentRun]) -> Iterator[list[ExperimentRun]]:
    """Run the experiments of half-open ranges in their order; what ``run`` raises comes after all that was good."""
    runs: list[ExperimentRun] = []
    began = time.perf_counter()
    for index in (index for start, stop in missing for index in range(start, stop)):
        try:
            runs.append(run(index))
        except Exception:
            if runs:
                yield runs
            raise
        if time.perf_counter() - began >= CHUNK_S:
            yield runs
            runs, began = [], time.perf_counter()
    if runs:
        yield runs
