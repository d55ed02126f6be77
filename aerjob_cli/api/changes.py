"""What callers do with jobs that are there: end them, try them again, hold them, tag them, delete them.

All of the jobs of one call or none of them: each is one transaction. Waking the worker is the client's business.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from aerjob_cli.api.origin import submitted_by
from aerjob_cli.api.request_checks import checked_priority, checked_tags, checked_text
from aerjob_cli.errors import AerjobError, JobAwaited, JobHasBegun, JobNotFinal, JobNotFound
from aerjob_cli.plugins.discovery import simulator_of_job
from aerjob_cli.states import PENDING, Status
from aerjob_cli.store import cancels, deletions, dependencies, jobs, submissions, tags, waits
from aerjob_cli.store.database import Store
from aerjob_cli.store.listing import JobFilter, matching_seqs
from aerjob_cli.store.records import JobRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Of the jobs that keep others from being deleted.
_DEPENDANTS_NAMED = 10


def request_cancels(
    store: Store, wanted: Sequence[JobRecord] | JobFilter, *, message: str | None
) -> tuple[list[JobRecord], list[JobRecord]]:
    """Ask for the end of jobs, or of all that fit and have not ended; give them, and those that still run.

    A job that fits no longer when it would be ended is left alone. Raises ``InputRefused`` for the message.
    """
    if message is not None:
        message = checked_text("the reason", message)
    with store.writing_directly() as tx:
        if isinstance(wanted, JobFilter):
            pending = pending_only(wanted)
            seqs = [] if pending is None else matching_seqs(tx, pending)
        else:
            seqs = [record.seq for record in wanted]
        answers = cancels.request_cancels(tx, seqs, now_us=store.now_us(), message=message)
        if not isinstance(wanted, JobFilter):
            _require_all(jobs.find_many(tx, seqs), wanted)
        found = jobs.find_all(tx, seqs)
    return found, [record for record in found if answers[record.seq] is cancels.CancelAnswer.REQUESTED]


def pending_only(wanted: JobFilter) -> JobFilter | None:
    """Narrow a filter to jobs that have not ended; None when it asks for ended ones, so that none can fit."""
    statuses = tuple(status for status in wanted.statuses or PENDING if not status.is_final)
    # Without any status a filter would take them all.
    return replace(wanted, statuses=statuses) if statuses else None


def retry(store: Store, records: Sequence[JobRecord]) -> list[JobRecord]:
    """Make a new job of each final one: the same circuits, options, seed and limits, and ``retry_of`` says of which.

    One that had been validated is queued at once, any other is validated again. Raises ``JobNotFinal``,
    or ``BackendUnusable`` where the simulator is no longer there.
    """
    origin = submitted_by()
    for name in {record.backend for record in records}:
        simulator_of_job(name)
    with store.writing_directly() as tx:
        wanted = _final(tx, records, "tried again")
        made = {
            record.seq: submissions.resubmit(
                tx, record, job_id=str(uuid.uuid4()), submitted_by=origin, now_us=store.now_us()
            )
            # Those first that others depend on, so that these wait for the new ones.
            for record in sorted(wanted, key=lambda record: record.seq)
        }
        return [made[record.seq] for record in wanted]


def hold(store: Store, records: Sequence[JobRecord]) -> list[JobRecord]:
    """Keep jobs from starting until they are released; raises ``JobHasBegun``."""
    with store.writing_directly() as tx:
        seqs = _unbegun(tx, records, "held")
        waits.hold(tx, seqs, now_us=store.now_us())
        return jobs.find_all(tx, seqs)


def release(store: Store, records: Sequence[JobRecord]) -> list[JobRecord]:
    """Let jobs start that were held; raises ``JobHasBegun``."""
    with store.writing_directly() as tx:
        seqs = _unbegun(tx, records, "released")
        waits.release(tx, seqs, now_us=store.now_us())
        return jobs.find_all(tx, seqs)


def set_priority(store: Store, records: Sequence[JobRecord], priority: int) -> list[JobRecord]:
    """Change the place of jobs in the queue; raises ``JobHasBegun``, or ``InputRefused`` for what is no priority."""
    priority = checked_priority(priority)
    with store.writing_directly() as tx:
        seqs = _unbegun(tx, records, "given another priority")
        waits.set_priority(tx, seqs, priority, now_us=store.now_us())
        return jobs.find_all(tx, seqs)


def tag(
    store: Store, records: Sequence[JobRecord], *, add: Collection[str], remove: Collection[str]
) -> list[JobRecord]:
    """Take tags from jobs, then add others, also to jobs that have ended; raises ``InputRefused`` for what is none."""
    added, removed = checked_tags(add), checked_tags(remove)
    seqs = [record.seq for record in records]
    with store.writing_directly() as tx:
        _require_all(jobs.find_many(tx, seqs), records)
        tags.tag(tx, seqs, add=added, remove=removed)
        found = jobs.find_many(tx, seqs)
        for record in found.values():
            checked_tags(record.tags)  # all together may be too many
    return [found[seq] for seq in seqs]


def delete(store: Store, records: Sequence[JobRecord]) -> int:
    """Delete final jobs with all that belongs to them; give how many bytes of object files that frees.

    Raises ``JobNotFinal``, or ``JobAwaited`` for those that jobs depend on which have not ended.
    """
    with store.writing_directly() as tx:
        seqs = [record.seq for record in _final(tx, records, "deleted")]
        _require_not_awaited(tx, records)
        large = deletions.objects_of(tx, seqs)
        deletions.delete_final(tx, seqs)
    # The jobs are gone. Files that stay behind are waste, which harms nobody and is swept up another time.
    with contextlib.suppress(OSError, AerjobError):
        if large:
            from aerjob_cli.store.garbage import remove_unreferenced

            return remove_unreferenced(store, large)
    return 0


def _final(tx: Connection, records: Sequence[JobRecord], deed: str) -> list[JobRecord]:
    """Give the records as they are now, each once; raises ``JobNotFinal`` or ``JobNotFound``."""
    found = jobs.find_many(tx, [record.seq for record in records])
    _require_all(found, records)
    pending = [record for record in found.values() if not record.status.is_final]
    if pending:
        raise JobNotFinal([record.job_id for record in pending], [record.status for record in pending], deed)
    return [found[seq] for seq in dict.fromkeys(record.seq for record in records)]


def _unbegun(tx: Connection, records: Sequence[JobRecord], deed: str) -> list[int]:
    """Give the numbers of the jobs, each once, none of which has begun; raises ``JobHasBegun`` or ``JobNotFound``."""
    found = jobs.find_many(tx, [record.seq for record in records])
    _require_all(found, records)
    begun = [record for record in found.values() if record.status.is_final or record.status is Status.RUNNING]
    if begun:
        raise JobHasBegun([record.job_id for record in begun], [record.status for record in begun], deed)
    return list(dict.fromkeys(record.seq for record in records))


def _require_not_awaited(tx: Connection, records: Sequence[JobRecord]) -> None:
    ids = {record.seq: record.job_id for record in records}
    found = dependencies.pending_dependants(tx, list(ids), at_most=_DEPENDANTS_NAMED)
    if found:
        raise JobAwaited(ids[found[0][0]], [job_id for seq, job_id in found if seq == found[0][0]])


def _require_all(found: Collection[int], records: Sequence[JobRecord]) -> None:
    for record in records:
        if record.seq not in found:
            raise JobNotFound(record.job_id)
