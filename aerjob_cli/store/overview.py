"""What is going on in the whole store, for those who look at it again and again. Nothing here changes a job.

However many jobs have ended, none of these reads them all, but for ``count_ended``, which counts along an index: who
looks again counts on from there with ``endings_after``.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from aerjob_cli.states import FINAL, Status
from aerjob_cli.store.jobs import all_jobs, record_of
from aerjob_cli.store.records import JobRecord
from aerjob_cli.store.tables import IS_QUEUED, events, jobs

_FINAL = tuple(sorted(FINAL))


@dataclass(frozen=True, slots=True)
class Ending:
    """That a job has ended: the event of it, when the job ran, and how many experiments have their result."""

    event_seq: int
    job_seq: int
    status: Status
    started_us: int | None
    finished_us: int
    experiments_done: int


def count_ended(tx: Connection) -> dict[Status, int]:
    """Count the jobs that have ended, by their state; states that no job is in are left out."""
    query = (
        select(jobs.c.status, func.count())
        .where(jobs.c.finished_us.is_not(None), jobs.c.status.in_(_FINAL))
        .group_by(jobs.c.status)
    )
    return {Status(status): int(count) for status, count in tx.execute(query)}


def latest_event(tx: Connection) -> int:
    """Give the number of the last transition of any job, 0 when there was none."""
    return int(tx.execute(select(func.max(events.c.seq))).scalar() or 0)


def latest_event_before(tx: Connection, time_us: int) -> int:
    """Give the number of the last transition before a time, 0 when there was none, without reading those between.

    Where the clock was set back meanwhile, it is one before such a transition.
    """
    low, high = 0, latest_event(tx)
    while low < high:
        middle = (low + high + 1) // 2
        # Numbers may be missing: deleted jobs take their events with them.
        found = tx.execute(
            select(events.c.seq, events.c.at_us).where(events.c.seq <= middle).order_by(events.c.seq.desc()).limit(1)
        ).one_or_none()
        if found is None or found.seq <= low or found.at_us < time_us:
            low = middle
        else:
            high = found.seq - 1
    return low


def endings_after(tx: Connection, event_seq: int) -> list[Ending]:
    """Give the jobs that have ended since a transition, in the order of their ends."""
    query = (
        select(
            events.c.seq,
            jobs.c.seq.label("job_seq"),
            jobs.c.status,
            jobs.c.started_us,
            jobs.c.finished_us,
            jobs.c.experiments_done,
        )
        .join(jobs, jobs.c.seq == events.c.job_seq)
        .where(events.c.seq > event_seq, events.c.to_status.in_(_FINAL))
        .order_by(events.c.seq)
    )
    return [
        Ending(row.seq, row.job_seq, Status(row.status), row.started_us, row.finished_us, row.experiments_done)
        for row in tx.execute(query)
    ]


def last_ended(tx: Connection, *, limit: int) -> list[int]:
    """Give the sequence numbers of the jobs that ended last by the clock, the last one first."""
    ended = select(jobs.c.seq).where(jobs.c.finished_us.is_not(None))
    query = ended.order_by(jobs.c.finished_us.desc(), jobs.c.seq.desc()).limit(limit)
    return list(tx.execute(query).scalars())


def running(tx: Connection, *, limit: int) -> list[JobRecord]:
    """Give the jobs that run, the first submitted first."""
    return _pending(tx, Status.RUNNING, limit)


def to_be_validated(tx: Connection, *, limit: int) -> list[JobRecord]:
    """Give the jobs that have no verdict yet: those first that are being validated, then by submission."""
    # One state after the other: both together would have to be sorted, however many they are.
    found = _pending(tx, Status.VALIDATING, limit)
    return found + _pending(tx, Status.INITIALIZING, limit - len(found))


def next_queued(tx: Connection, *, limit: int) -> list[JobRecord]:
    """Give the jobs that will start next, in that order."""
    first = select(jobs.c.seq).where(IS_QUEUED).order_by(jobs.c.priority.desc(), jobs.c.seq).limit(limit)
    found = [record_of(row) for row in tx.execute(all_jobs().where(jobs.c.seq.in_(first)))]
    return sorted(found, key=lambda job: (-job.priority, job.seq))


def _pending(tx: Connection, status: Status, limit: int) -> list[JobRecord]:
    # "finished_us IS NULL" is what lets the small index of pending jobs answer.
    query = all_jobs().where(jobs.c.finished_us.is_(None), jobs.c.status == status).order_by(jobs.c.seq).limit(limit)
    return [record_of(row) for row in tx.execute(query)]
