"""How far a job has come: for Python, for `status`, and for whatever shows a running job.

Light: it knows records and processes, no store and no Qiskit.
"""

from __future__ import annotations

from aerjob_cli.frozen import dataclass
from aerjob_cli.processes import rss_bytes, started_of
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord

_US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is, at one instant.

    ``experiments_total`` and ``shots_total`` are None until the circuits have been looked at. ``elapsed_s`` counts from
    the start of the first attempt to the end, or to now. ``eta_s`` is None unless the job runs and some of its
    experiments have ended: a job of one experiment never has any. ``rss_bytes`` is the memory of the process that runs
    it, None where there is none or the system does not tell.
    """

    experiments_done: int
    experiments_total: int | None
    shots_done: int
    shots_total: int | None
    elapsed_s: float
    eta_s: float | None
    rss_bytes: int | None

    @property
    def done(self) -> int:
        """The number of experiments that have their result."""
        return self.experiments_done

    @property
    def total(self) -> int | None:
        """The number of experiments, None until the circuits have been looked at."""
        return self.experiments_total


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A time (microseconds since 1970, UTC) and how many experiments had their result then."""

    at_us: int
    experiments_done: int


def progress_of(record: JobRecord, *, now_us: int, since: Checkpoint | None = None) -> Progress:
    """Say how far a job is.

    The time left is reckoned from the pace since ``since``, which is the start of the first attempt when not given. Of
    a later attempt a record does not tell when it began and what it found done: without ``since`` it has no ``eta_s``.
    """
    total = record.experiments_total
    return Progress(
        experiments_done=record.experiments_done,
        experiments_total=total,
        shots_done=record.experiments_done * record.shots,
        shots_total=None if total is None else total * record.shots,
        elapsed_s=_elapsed_s(record, now_us),
        eta_s=_eta_s(record, now_us, since or _first_start(record)),
        rss_bytes=_rss_bytes(record),
    )


class Pace:
    """Remembers, for whoever looks at running jobs again and again, from where to reckon the time they have left."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, Checkpoint]] = {}

    def progress_of(self, record: JobRecord, *, now_us: int) -> Progress:
        """Say how far a job is; the pace of a later attempt counts from when this was first asked about it."""
        since = None
        if record.status is Status.RUNNING and record.attempt > 1:
            here = (record.attempt, Checkpoint(now_us, record.experiments_done))
            attempt, since = self._seen.setdefault(record.seq, here)
            if attempt != record.attempt:
                _, since = self._seen[record.seq] = here
        else:
            self._seen.pop(record.seq, None)
        return progress_of(record, now_us=now_us, since=since)


def seconds_left(*, done: int, left: int, spent_s: float) -> float | None:
    """Reckon how long ``left`` more will take at the pace of ``done`` in ``spent_s``; None without any pace."""
    return left * spent_s / done if done > 0 and left > 0 and spent_s > 0 else None


def _first_start(record: JobRecord) -> Checkpoint | None:
    return Checkpoint(record.started_us, 0) if record.started_us is not None and record.attempt == 1 else None


def _elapsed_s(record: JobRecord, now_us: int) -> float:
    if record.started_us is None:
        return 0.0
    end_us = now_us if record.finished_us is None else record.finished_us
    # The wall clock may have been set back.
    return max(0, end_us - record.started_us) / _US_PER_S


def _eta_s(record: JobRecord, now_us: int, since: Checkpoint | None) -> float | None:
    if record.status is not Status.RUNNING or record.experiments_total is None or since is None:
        return None
    return seconds_left(
        done=record.experiments_done - since.experiments_done,
        left=record.experiments_total - record.experiments_done,
        spent_s=(now_us - since.at_us) / _US_PER_S,
    )


def _rss_bytes(record: JobRecord) -> int | None:
    if record.status is not Status.RUNNING or record.executor_pid is None or record.executor_started is None:
        return None
    resident = rss_bytes(record.executor_pid)
    # Asked after the memory: until then no other process had this pid.
    return resident if resident is not None and started_of(record.executor_pid) == record.executor_started else None
