"""The history of jobs for those who follow it: in the order of the events' numbers, a page at a time.

Why a number is a cursor: there is one writer at a time, and it takes the next numbers within its transaction, so that a
smaller one is never committed after a larger one was seen. The numbers of deleted events are not used again
(AUTOINCREMENT). What a transaction that is rolled back had taken, nobody has seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aerjob_cli.clock import to_datetime
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Reason, Status
from aerjob_cli.store.listing import JobFilter, SortKey, listed, still_fitting
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.values import complete, parsed

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from aerjob_cli.store.statements import event_feed as statements
else:
    statements = prepared("event_feed")

PAGE = 500
# Few jobs have more moves than this, and as many are held of each of those that are followed.
PAGE_OF_JOB = 20
_NEEDED = ("seq", "job_seq", "at_us", "to_status", "attempt", "why", "job_id")


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """A move of a job, with what tells the job from others; ``reason`` is that of an end."""

    seq: int
    job_seq: int
    job_id: str
    at_us: int
    from_status: Status | None
    to_status: Status
    attempt: int
    worker_id: str | None
    why: str
    reason: Reason | None
    name: str | None
    group: str | None
    tags: tuple[str, ...]

    @property
    def at(self) -> datetime:
        return to_datetime(self.at_us)


def page_of_all(tx: Connection, *, after: int, limit: int = PAGE) -> list[FeedEvent]:
    """Give the events after a number, the first ``limit`` of them."""
    return [_event(row) for row in tx.execute(statements.OF_ALL, {"after": after, "limit": limit})]


def page_of_job(tx: Connection, job_seq: int, *, after: int, up_to: int) -> list[FeedEvent]:
    """Give the events of one job after a number and up to another one, the first ``PAGE_OF_JOB`` of them."""
    stretch = {"of_job": job_seq, "after": after, "up_to": up_to, "limit": PAGE_OF_JOB}
    return [_event(row) for row in tx.execute(statements.OF_JOB, stretch)]


def last_seq(tx: Connection) -> int:
    """Give the number of the last event that there is, 0 where there is none."""
    last: int | None = tx.execute(statements.LAST_SEQ).scalar()
    return last or 0


def before_first_of(tx: Connection, wanted: JobFilter) -> int:
    """Give a number after which all events of the jobs are that fit a filter, since none has one before its job."""
    first = listed(tx, wanted, limit=1, sort=SortKey.SUBMITTED, descending=False)
    if not first:
        return last_seq(tx)
    seq = tx.execute(statements.FIRST_SEQ_OF_JOB, {"of_job": first[0].seq}).scalar()
    return 0 if seq is None else seq - 1


def fitting(tx: Connection, wanted: JobFilter, page: list[FeedEvent]) -> list[FeedEvent]:
    """Give those events of a page whose jobs fit a filter now."""
    jobs = sorted({event.job_seq for event in page})
    kept = set(still_fitting(tx, wanted, jobs)) if jobs else set()
    return [event for event in page if event.job_seq in kept]


def _event(row: Row[*tuple[Any, ...]]) -> FeedEvent:
    complete(row, _NEEDED)
    target = Status(row.to_status)
    return FeedEvent(
        seq=row.seq,
        job_seq=row.job_seq,
        job_id=row.job_id,
        at_us=row.at_us,
        from_status=None if row.from_status is None else Status(row.from_status),
        to_status=target,
        attempt=row.attempt,
        worker_id=row.worker_id,
        why=row.why,
        reason=Reason(row.reason) if target.is_final and row.reason is not None else None,
        name=row.name,
        group=row.group_name,
        tags=tuple(sorted(map(str, parsed(row.tags or "[]", list)))),
    )
