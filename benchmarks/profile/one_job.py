"""The way of one small job through a warm worker, moment by moment, as the store's history and the clock tell it."""

from __future__ import annotations

import random
import time
from statistics import median

from benchmarks.circuits import SHOTS, two_qubit_texts
from benchmarks.durable_jobs import DurableJobs, circuits_of
from benchmarks.profile.table import Row, Table

_JOBS = 50
# The worker may have claimed the job before `run()` returns.
_MEANWHILE = "(meanwhile the client: commit, ring and return)"


def way_of_one_job(durable: DurableJobs) -> Table:
    """Run some jobs one after the other and give the median of each part of their way."""
    ways = [_way(durable, number) for number in range(_JOBS)]
    whole = median(way["whole"] for way in ways)
    rows = [Row(part, median(way[part] for way in ways)) for part in ways[0]]
    return Table(
        f"one job, from before run() until result() has returned: medians of {_JOBS}, share of the whole",
        "ms",
        tuple(Row(row.part, row.spent, None if row.part == _MEANWHILE else row.spent / whole) for row in rows),
    )


def _way(durable: DurableJobs, seed: int) -> dict[str, float]:
    (circuit,) = circuits_of(two_qubit_texts(1, random.Random(seed)))
    began_us = _now_us()
    job = durable.backend.run(circuit, shots=SHOTS)
    stored_us = _now_us()
    job.result()
    returned_us = _now_us()
    history = {event.to_status.value: event.at_us for event in durable.history(job.job_id())}
    queued_us, running_us, done_us = (history[name] for name in ("QUEUED", "RUNNING", "DONE"))
    aer_us = 1e6 * durable.aer_s([job.job_id()])
    parts_us = {
        "client: check and encode": queued_us - began_us,
        _MEANWHILE: stored_us - queued_us,
        "worker: from submission to its claim": running_us - queued_us,
        "pipe and executor, Aer not included": done_us - running_us - aer_us,
        "Aer, as it tells it": aer_us,
        "commit of the end, the client notices and reads": returned_us - done_us,
        "whole": returned_us - began_us,
    }
    return {part: spent_us / 1000 for part, spent_us in parts_us.items()}


def _now_us() -> int:
    # The clock that the store's times are read from.
    return time.time_ns() // 1000
