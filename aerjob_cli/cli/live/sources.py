"""The jobs that a screen may be about: all of a store, or some that are followed to their ends.

Reading them costs what is pending and what has ended since the last time, however many jobs there are in the store.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from aerjob_cli.cli.answers.dashboard import RATE_WINDOW_S, WaitingJob
from aerjob_cli.cli.live.throughput import Ran
from aerjob_cli.errors import JobNotFound
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Status
from aerjob_cli.store import jobs, overview
from aerjob_cli.store.records import JobRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection

# More rows than this no screen shows, and no person reads.
ROWS_AT_MOST = 50
# All of them, as good as always: their memory is added up.
_RUNNING_AT_MOST = 1024
# Jobs that somebody deletes leave the counts only when these are made anew.
_RECOUNT_EVERY_S = 30.0


@dataclass(frozen=True)
class Rows:
    """What was read in one transaction; ``ran`` are the jobs that ended of late, for the rates."""

    counts: dict[Status, int]
    running: list[JobRecord]
    waiting: list[WaitingJob]
    ended: list[JobRecord]
    ran: list[Ran]


class Source(Protocol):
    """The jobs that are looked at."""

    @property
    def is_over(self) -> bool:
        """Tell whether none of them will ever change again."""
        ...

    def read(self, tx: Connection, *, now_us: int) -> Rows:
        """Read them as they are."""
        ...


class WholeStore:
    """Every job of the store; with ``from_now_on`` of those that ended only the ones which do so while we look."""

    is_over = False

    def __init__(self, *, from_now_on: bool) -> None:
        self._from_now_on = from_now_on
        self._event_seq: int | None = None
        self._ended_counts: Counter[Status] = Counter()
        self._counted_s = 0.0
        self._last_ended: deque[int] = deque(maxlen=ROWS_AT_MOST)
        self._ran: deque[Ran] = deque()

    def read(self, tx: Connection, *, now_us: int) -> Rows:
        self._note_ends(tx, now_us)
        waiting = [
            WaitingJob(job, position)
            for position, job in enumerate(overview.next_queued(tx, limit=ROWS_AT_MOST), start=1)
        ]
        unvalidated = overview.to_be_validated(tx, limit=ROWS_AT_MOST)
        found = jobs.find_many(tx, list(self._last_ended))
        return Rows(
            counts=jobs.count_pending(tx) | dict(self._ended_counts),
            running=overview.running(tx, limit=_RUNNING_AT_MOST),
            waiting=(waiting + [WaitingJob(job, None) for job in unvalidated])[:ROWS_AT_MOST],
            ended=[found[seq] for seq in self._last_ended if seq in found],
            ran=list(self._ran),
        )

    def _note_ends(self, tx: Connection, now_us: int) -> None:
        since_us = now_us - int(RATE_WINDOW_S * 1_000_000)
        known_until = self._event_seq
        latest = overview.latest_event(tx)
        endings = overview.endings_after(
            tx, overview.latest_event_before(tx, since_us) if known_until is None else known_until
        )
        self._ran.extend(Ran(ending.started_us, ending.finished_us, ending.experiments_done) for ending in endings)
        while self._ran and (self._ran[0].finished_us or 0) <= since_us:
            self._ran.popleft()
        if known_until is not None:
            self._ended_counts.update(ending.status for ending in endings)
            self._last_ended.extendleft(ending.job_seq for ending in endings)
        elif not self._from_now_on:
            self._last_ended.extend(overview.last_ended(tx, limit=ROWS_AT_MOST))
        if not self._from_now_on and (known_until is None or time.monotonic() - self._counted_s >= _RECOUNT_EVERY_S):
            self._ended_counts = Counter(overview.count_ended(tx))
            self._counted_s = time.monotonic()
        self._event_seq = latest


class ChosenJobs:
    """Some jobs, which are followed to their ends."""

    def __init__(self, chosen: Iterable[JobRecord]) -> None:
        self._latest = {job.seq: job for job in chosen}

    @property
    def is_over(self) -> bool:
        return all(job.status.is_final for job in self._latest.values())

    @property
    def jobs(self) -> list[JobRecord]:
        """The jobs as they were last read, in the order in which they were chosen."""
        return list(self._latest.values())

    def read(self, tx: Connection, *, now_us: int) -> Rows:
        still_open = [seq for seq, job in self._latest.items() if not job.status.is_final]
        found = jobs.find_many(tx, still_open)
        for seq in still_open:
            if seq not in found:
                raise JobNotFound(self._latest[seq].job_id)
            self._latest[seq] = found[seq]
        # Those last that wait for more than their turn.
        order = sorted(self._in(Status.QUEUED), key=lambda job: (job.waits > 0, -job.priority, job.seq))
        queued = order[:ROWS_AT_MOST]
        places = jobs.queue_positions(tx, queued)
        waiting = [WaitingJob(job, places.get(job.seq)) for job in queued]
        unvalidated = self._in(Status.INITIALIZING, Status.VALIDATING)
        ended = [job for job in self._latest.values() if job.status.is_final]
        return Rows(
            counts=Counter(job.status for job in self._latest.values()),
            running=self._in(Status.RUNNING),
            waiting=(waiting + [WaitingJob(job, None) for job in unvalidated])[:ROWS_AT_MOST],
            ended=sorted(ended, key=lambda job: job.finished_us or 0, reverse=True)[:ROWS_AT_MOST],
            ran=[ran_of(job) for job in ended],
        )

    def _in(self, *statuses: Status) -> list[JobRecord]:
        return [job for job in self._latest.values() if job.status in statuses]


def ran_of(job: JobRecord) -> Ran:
    """Give what the rates need to know of a job."""
    return Ran(job.started_us, job.finished_us, job.experiments_done)
