"""The line under a command that waits: how many jobs have ended, how far the others are, how long it will take.

It is on stderr, only where that is a terminal, and is taken away before anything is printed. Rich is not needed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from aerjob_cli.api.progress import Pace, seconds_left
from aerjob_cli.cli.live.figures import clock_text, size_text
from aerjob_cli.cli.live.status_line import StatusLine, can_be_seen
from aerjob_cli.clock import SYSTEM_CLOCK
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord


class WaitingLine:
    """Shows jobs that are waited for; does nothing where nobody sees it."""

    def __init__(self, *, is_shown: bool) -> None:
        self._line = StatusLine(is_shown=is_shown)
        self._done_at_first: int | None = None
        self._pace = Pace()

    @property
    def wants(self) -> Callable[[Collection[JobRecord]], None] | None:
        """Give ``tick`` where somebody sees the line; else None, so that nobody reads for it what it would show."""
        return self.tick if self._line.is_shown else None

    def tick(self, jobs: Collection[JobRecord]) -> None:
        """Take notice of where the jobs are; draws four times a second at most, and not in the first quarter."""
        if not self._line.is_shown:
            return
        if self._done_at_first is None:
            self._done_at_first = _experiments_done(jobs)
        if self._line.is_due():
            self._line.draw(self._text(jobs, waited_s=self._line.age_s))

    def erase(self) -> None:
        """Take the line away, before something is printed and at the end."""
        self._line.erase()

    def _text(self, jobs: Collection[JobRecord], *, waited_s: float) -> str:
        still_open = [job for job in jobs if not job.status.is_final]
        now_us = SYSTEM_CLOCK.now_us()
        progresses = [self._pace.progress_of(job, now_us=now_us) for job in still_open]
        parts = [_state(jobs, still_open)]
        if any(job.experiments_total is not None for job in jobs):
            parts.append(_experiments(jobs))
        parts.append(clock_text(waited_s))
        eta_s = progresses[0].eta_s if len(progresses) == 1 else None
        if eta_s is None:
            eta_s = self._seconds_left(jobs, still_open, waited_s)
        if eta_s is not None:
            parts.append(f"ETA {clock_text(eta_s)}")
        if resident := sum(progress.rss_bytes or 0 for progress in progresses):
            parts.append(size_text(resident))
        return _separator().join(parts)

    def _seconds_left(
        self, jobs: Collection[JobRecord], still_open: Collection[JobRecord], waited_s: float
    ) -> float | None:
        totals = [job.experiments_total for job in still_open]
        if None in totals:
            return None
        left = sum(total for total in totals if total is not None) - _experiments_done(still_open)
        done = _experiments_done(jobs) - (self._done_at_first or 0)
        return seconds_left(done=done, left=left, spent_s=waited_s)


@contextmanager
def waiting_line(*, quiet: bool = False) -> Iterator[WaitingLine]:
    """Give a line for the ``tick`` of ``Client.wait``; whatever ends the block, the line is gone then.

    It is shown when stderr is a terminal, not a dumb one, and ``quiet`` is not asked for.
    """
    line = WaitingLine(is_shown=not quiet and can_be_seen())
    try:
        yield line
    finally:
        line.erase()


def _separator() -> str:
    try:
        " · ".encode(sys.stderr.encoding)
    except (UnicodeEncodeError, LookupError):
        return ", "
    return " · "


def _state(jobs: Collection[JobRecord], still_open: Collection[JobRecord]) -> str:
    statuses = {job.status for job in still_open}
    # Of jobs that have not begun the first one's state says what they wait for.
    waits = next(
        (status.lower() for status in (Status.QUEUED, Status.VALIDATING, Status.INITIALIZING) if status in statuses), ""
    )
    if len(jobs) == 1:
        return waits or "running"
    counted = f"{len(jobs) - len(still_open)}/{len(jobs)} jobs"
    return counted if Status.RUNNING in statuses or not waits else f"{counted} {waits}"


def _experiments(jobs: Collection[JobRecord]) -> str:
    total = sum(job.experiments_total or 0 for job in jobs)
    more = "+" if any(job.experiments_total is None and not job.status.is_final for job in jobs) else ""
    return f"{_experiments_done(jobs)}/{total}{more} experiments"


def _experiments_done(jobs: Collection[JobRecord]) -> int:
    return sum(job.experiments_done for job in jobs)
