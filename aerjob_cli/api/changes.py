"""What callers do with jobs that are there: end them, try them again, tag them, delete them.

All of the jobs of one call or none of them: each is one transaction. Of jobs that were found by a filter those are left
alone that fit no longer. Waking the worker is the client's business.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from aerjob_cli.api.matched import Meant, latest
from aerjob_cli.api.origin import submitted_by
from aerjob_cli.api.request_checks import checked_tags, checked_text
from aerjob_cli.errors import AerjobError, JobNotFinal
from aerjob_cli.plugins.discovery import simulator_of_job
from aerjob_cli.store import cancels, deletions, jobs, submissions, tags
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import JobRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection


def new_id() -> str:
    """Make the id of a job to be."""
    return str(uuid.uuid4())


def request_cancels(store: Store, meant: Meant, *, message: str | None) -> tuple[list[JobRecord], list[JobRecord]]:
    """Ask for the end of jobs; give them, and those that still run. Raises ``InputRefused`` for the message."""
    if message is not None:
        message = checked_text("the reason", message)
    with store.writing_directly() as tx:
        seqs = [record.seq for record in latest(tx, meant)]
        answers = cancels.request_cancels(tx, seqs, now_us=store.now_us(), message=message)
        found = jobs.find_all(tx, seqs)
    return found, [record for record in found if answers[record.seq] is cancels.CancelAnswer.REQUESTED]


def retry(store: Store, meant: Meant, *, make_id: Callable[[], str] = new_id) -> list[JobRecord]:
    """Make a new job of each final one: the same circuits, options, seed and limits, and ``retry_of`` says of which.

    One that had been validated is queued at once, any other is validated again. ``make_id`` is asked for the id of each
    new job. Raises ``JobNotFinal``, or ``BackendUnusable`` where the simulator is no longer there.
    """
    origin = submitted_by()
    with store.reading_directly() as tx:
        backends = {record.backend for record in latest(tx, meant)}
    # It may have to look for plugins, which nobody else has to wait for.
    for name in backends:
        simulator_of_job(name)
    with store.writing_directly() as tx:
        return [
            submissions.resubmit(tx, record, job_id=make_id(), submitted_by=origin, now_us=store.now_us())
            for record in _final(tx, meant, "tried again")
        ]


def tag(store: Store, meant: Meant, *, add: Collection[str], remove: Collection[str]) -> list[JobRecord]:
    """Take tags from jobs, then add others, also to jobs that have ended; raises ``InputRefused`` for what is none."""
    added, removed = checked_tags(add), checked_tags(remove)
    with store.writing_directly() as tx:
        seqs = [record.seq for record in latest(tx, meant)]
        tags.tag(tx, seqs, add=added, remove=removed)
        found = jobs.find_all(tx, seqs)
        for record in found:
            checked_tags(record.tags)  # all together may be too many
    return found


def delete(store: Store, meant: Meant) -> tuple[list[str], int]:
    """Delete final jobs with all that belongs to them; give their ids, and how many bytes of object files that frees.

    Raises ``JobNotFinal``.
    """
    with store.writing_directly() as tx:
        records = _final(tx, meant, "deleted")
        seqs = [record.seq for record in records]
        large = deletions.objects_of(tx, seqs)
        deletions.delete_final(tx, seqs)
    job_ids = [record.job_id for record in records]
    # The jobs are gone. Files that stay behind are waste, which harms nobody and is swept up another time.
    with contextlib.suppress(OSError, AerjobError):
        if large:
            from aerjob_cli.store.garbage import remove_unreferenced

            return job_ids, remove_unreferenced(store, large)
    return job_ids, 0


def require_final(store: Store, meant: Meant, deed: str) -> list[JobRecord]:
    """Give the jobs that something would be done with now, as ``retry`` and ``delete`` would; raises as these."""
    with store.reading_directly() as tx:
        return _final(tx, meant, deed)


def _final(tx: Connection, meant: Meant, deed: str) -> list[JobRecord]:
    """Give the jobs as they are now, each once; raises ``JobNotFinal`` or ``JobNotFound``."""
    found = latest(tx, meant)
    pending = [record for record in found if not record.status.is_final]
    if pending:
        raise JobNotFinal([record.job_id for record in pending], [record.status for record in pending], deed)
    return found
