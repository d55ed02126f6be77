"""What is going on in the whole store, for those who look at it again and again. Nothing here changes a job.

However many jobs have ended, none of these reads them all, but for ``count_ended``, which counts along an index: who
looks again counts on from there with ``endings_after``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Status
from aerjob_cli.store.jobs import record_of
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import JobRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import overview as statements
else:
    statements = prepared("overview")


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
    return {Status(status): int(count) for status, count in tx.execute(statements.ENDED_BY_STATUS)}


def latest_event(tx: Connection) -> int:
    """Give the number of the last transition of any job, 0 when there was none."""
    return int(tx.execute(statements.LATEST_EVENT).scalar() or 0)


def latest_event_before(tx: Connection, time_us: int) -> int:
    """Give the number of the last transition before a time, 0 when there was none, without reading those between.

    Where the clock was set back meanwhile, it is one before such a transition.
    """
    low, high = 0, latest_event(tx)
    while low < high:
        middle = (low + high + 1) // 2
        # Numbers may be missing: deleted jobs take their events with them.
        found = tx.execute(statements.EVENT_UP_TO, {"up_to": middle}).one_or_none()
        if found is None or found.seq <= low or found.at_us < time_us:
            low = middle
        else:
            high = found.seq - 1
    return low


def endings_after(tx: Connection, event_seq: int) -> list[Ending]:
    """Give the jobs that have ended since a transition, in the order of their ends."""
    return [
        Ending(row.seq, row.job_seq, Status(row.status), row.started_us, row.finished_us, row.experiments_done)
        for row in tx.execute(statements.ENDINGS_AFTER, {"after": event_seq})
    ]


def last_ended(tx: Connection, *, limit: int) -> list[int]:
    """Give the sequence numbers of the jobs that ended last by the clock, the last one first."""
    return list(tx.execute(statements.LAST_ENDED, {"limit": limit}).scalars())


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
    found = [record_of(row) for row in tx.execute(statements.NEXT_QUEUED, {"limit": limit})]
    return sorted(found, key=lambda job: (-job.priority, job.seq))


def _pending(tx: Connection, status: Status, limit: int) -> list[JobRecord]:
    return [record_of(row) for row in tx.execute(statements.PENDING_IN, {"state": status, "limit": limit})]
