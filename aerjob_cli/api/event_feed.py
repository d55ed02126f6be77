"""Following the history of jobs: each event once, in their order, from a number on.

Where jobs are named, their past is read by each job's own index, up to the last event that there was as it began; from
there on all events are looked at, and those of other jobs are left out.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING

from aerjob_cli.api.client import Client
from aerjob_cli.api.waiting import wait_for
from aerjob_cli.errors import JobNotFound
from aerjob_cli.store import event_feed, jobs
from aerjob_cli.store.event_feed import PAGE, PAGE_OF_JOB, FeedEvent
from aerjob_cli.store.listing import JobFilter
from aerjob_cli.store.records import JobRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection

Page = list[FeedEvent]


def pages_of_matching(
    client: Client, wanted: JobFilter, *, after: int, follow: bool, tick: Callable[[], None]
) -> Iterator[Page]:
    """Give the events of all jobs, or of those that fit a filter when they are read; with ``follow`` without end.

    ``tick`` is called again and again while nothing happens.
    """
    if wanted != JobFilter():
        with client.store.reading_directly() as tx:
            after = max(after, event_feed.before_first_of(tx, wanted))
    cursor = after

    def look(tx: Connection) -> Page | None:
        nonlocal cursor
        page = event_feed.page_of_all(tx, after=cursor)
        if not page:
            return None
        cursor = page[-1].seq
        return page if wanted == JobFilter() else event_feed.fitting(tx, wanted, page)

    while True:
        if follow:
            found = wait_for(client.store, look, timeout_s=None, attend=client.attend_if_due, tick=tick)
        else:
            with client.store.reading_directly() as tx:
                found = look(tx)
        if found is None:
            return
        if found:
            yield found


def pages_of_jobs(
    client: Client, records: Sequence[JobRecord], *, after: int, follow: bool, tick: Callable[[], None]
) -> Iterator[Page]:
    """Give the events of some jobs; with ``follow`` until all of them have ended and all their events are told.

    Raises ``JobNotFound`` for a job that is deleted before its end was told.
    """
    with client.store.reading_directly() as tx:
        up_to = event_feed.last_seq(tx)
    open_ids = {record.seq: record.job_id for record in records}
    ours = frozenset(open_ids)
    for page in _past(client, sorted(ours), after=after, up_to=up_to):
        for event in page:
            if event.to_status.is_final:
                open_ids.pop(event.job_seq, None)
        yield page
    cursor = max(after, up_to)

    def look(tx: Connection) -> Page | None:
        nonlocal cursor
        page = event_feed.page_of_all(tx, after=cursor)
        if page:
            cursor = page[-1].seq
        if len(page) < PAGE:
            _close_ended(tx, open_ids, told={event.job_seq for event in page if event.to_status.is_final})
        kept = [event for event in page if event.job_seq in ours]
        return kept if kept or not open_ids else None

    while follow and open_ids:
        found = wait_for(client.store, look, timeout_s=None, attend=client.attend_if_due, tick=tick)
        if found:
            yield found


def _past(client: Client, seqs: Sequence[int], *, after: int, up_to: int) -> Iterator[Page]:
    """Give what has happened to jobs so far, in the order in which it has."""
    each = [_past_of_job(client, seq, after=after, up_to=up_to) for seq in seqs]
    merged = each[0] if len(each) == 1 else heapq.merge(*each, key=attrgetter("seq"))
    while page := list(islice(merged, PAGE)):
        yield page


def _past_of_job(client: Client, seq: int, *, after: int, up_to: int) -> Iterator[FeedEvent]:
    while True:
        # For no longer than it takes: a reader may take hours for a page.
        with client.store.reading_directly() as tx:
            page = event_feed.page_of_job(tx, seq, after=after, up_to=up_to)
        yield from page
        if len(page) < PAGE_OF_JOB:
            return
        after = page[-1].seq


def _close_ended(tx: Connection, open_ids: dict[int, str], *, told: set[int]) -> None:
    """Take away those that have ended: all that happened to them is told with this page, and nothing more will."""
    ends = jobs.ends_of(tx, sorted(open_ids))
    for seq, job_id in list(open_ids.items()):
        if seq not in ends and seq not in told:
            raise JobNotFound(job_id)
        if seq in told or ends[seq]:
            del open_ids[seq]
