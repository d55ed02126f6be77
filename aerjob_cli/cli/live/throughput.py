"""How much was done lately, from when jobs ran and how many experiments they have done. Pure arithmetic.

When a single experiment ended is not stored: those of a job are taken as spread evenly over the time that it ran. So
a long job counts while it runs, and not all at once when it ends.
"""

from __future__ import annotations

from collections.abc import Iterable

from aerjob_cli.frozen import dataclass

_US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True)
class Ran:
    """When a job ran (microseconds since 1970, UTC) and what came of it; ``finished_us`` is None while it runs."""

    started_us: int | None
    finished_us: int | None
    experiments_done: int


def jobs_per_s(jobs: Iterable[Ran], *, now_us: int, window_s: float) -> float:
    """Give the number of jobs that ended in the last ``window_s``, for each second of them."""
    since_us = now_us - window_s * _US_PER_S
    # Where the clock was set back, what ended by the clock of before is yet to come.
    return sum(1 for job in jobs if job.finished_us is not None and since_us < job.finished_us <= now_us) / window_s


def experiments_per_s(jobs: Iterable[Ran], *, now_us: int, window_s: float) -> float:
    """Give the number of experiments that were done in the last ``window_s``, for each second of them."""
    since_us = now_us - window_s * _US_PER_S
    return sum(job.experiments_done * _share(job, since_us, now_us) for job in jobs) / window_s


def _share(job: Ran, since_us: float, now_us: int) -> float:
    """Give the part of a job's running time that lies after ``since_us``."""
    if job.started_us is None or (job.finished_us is not None and job.finished_us > now_us):
        return 0.0
    end_us = now_us if job.finished_us is None else job.finished_us
    if end_us <= job.started_us:
        return 1.0 if end_us > since_us else 0.0
    return max(0.0, end_us - max(since_us, job.started_us)) / (end_us - job.started_us)
