"""What callers do with jobs that are there: end them, try them again, hold them, tag them, delete them.

All of the jobs of one call or none of them: each is one transaction. Of jobs that were found by a filter those are left
alone that fit no longer. Waking the worker is the client's business.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from aerjob_cli.api.matched import Matched, Meant, latest
from aerjob_cli.api.origin import submitted_by
from aerjob_cli.api.request_checks import checked_priority, checked_tags, checked_text
from aerjob_cli.errors import AerjobError, JobAwaited, JobHasBegun, JobNotFinal
from aerjob_cli.plugins.discovery import simulator_of_job
from aerjob_cli.states import UNBEGUN, Part
from aerjob_cli.store import cancels, deletions, dependencies, jobs, submissions, tags, waits
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import JobRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Of the jobs that keep others from being deleted.
_DEPENDANTS_NAMED = 10


def new_id() -> str:
    """Make the id of a job to be."""
    return str(uuid.uuid4())


def request_cancels(
    store: Store, meant: Meant, *, message: str | None
) -> tuple[list[JobRecord], list[JobRecord], bool]:
    """Ask for the end of jobs; give them, those that still run, and whether ends have commands that are to be run.

    Raises ``InputRefused`` for the message.
    """
    if message is not None:
        message = checked_text("the reason", message)
    with store.writing_directly() as tx:
        seqs = [record.seq for record in latest(tx, meant)]
        answers = cancels.request_cancels(tx, seqs, now_us=store.now_us(), message=message)
        found = jobs.find_all(tx, seqs)
        has_due = jobs.is_any_command_due(tx)
    return found, [record for record in found if answers[record.seq] is cancels.CancelAnswer.REQUESTED], has_due


def retry(store: Store, meant: Meant, *, make_id: Callable[[], str] = new_id) -> list[JobRecord]:
    """Make a new job of each final one: the same circuits, options, seed and limits, and ``retry_of`` says of which.

    One that had been validated is queued at once, any other is validated again. ``make_id`` is asked for the id of each
    new job. Raises ``JobNotFinal``, ``Pruned`` where the circuits of one were removed, or ``BackendUnusable`` where the
    simulator is no longer there.
    """
    origin = submitted_by()
    with store.reading_directly() as tx:
        backends = {record.backend for record in latest(tx, meant)}
    # It may have to look for plugins, which nobody else has to wait for.
    for name in backends:
        simulator_of_job(name)
    with store.writing_directly() as tx:
        wanted = _final(tx, meant, "tried again")
        _require_circuits(tx, wanted)
        made = {
            record.seq: submissions.resubmit(tx, record, job_id=make_id(), submitted_by=origin, now_us=store.now_us())
            # Those first that others depend on, so that these wait for the new ones.
            for record in sorted(wanted, key=lambda record: record.seq)
        }
        return [made[record.seq] for record in wanted]


def _require_circuits(tx: Connection, records: Iterable[JobRecord]) -> None:
    # Only who tries again needs it.
    from aerjob_cli.api.pruned import require_kept

    for record in records:
        require_kept(tx, record, Part.CIRCUITS)


def hold(store: Store, meant: Meant) -> list[JobRecord]:
    """Keep jobs from starting until they are released; raises ``JobHasBegun``."""
    with store.writing_directly() as tx:
        seqs = _unbegun(tx, meant, "held")
        waits.hold(tx, seqs, now_us=store.now_us())
        return jobs.find_all(tx, seqs)


def release(store: Store, meant: Meant) -> list[JobRecord]:
    """Let jobs start that were held; raises ``JobHasBegun``."""
    with store.writing_directly() as tx:
        seqs = _unbegun(tx, meant, "released")
        waits.release(tx, seqs, now_us=store.now_us())
        return jobs.find_all(tx, seqs)


def set_priority(store: Store, meant: Meant, priority: int) -> list[JobRecord]:
    """Change the place of jobs in the queue; raises ``JobHasBegun``, or ``InputRefused`` for what is no priority."""
    priority = checked_priority(priority)
    with store.writing_directly() as tx:
        seqs = _unbegun(tx, meant, "given another priority")
        waits.set_priority(tx, seqs, priority, now_us=store.now_us())
        return jobs.find_all(tx, seqs)


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

    Raises as ``deletable``, which says what is left alone.
    """
    with store.writing_directly() as tx:
        records = _deletable(tx, meant)
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


def deletable(store: Store, meant: Meant) -> list[JobRecord]:
    """Give the jobs that ``delete`` would delete now.

    Those that jobs depend on which have not ended are left out of what was found by a filter. Of jobs that were named,
    all must go: raises ``JobAwaited``, and ``JobNotFinal``.
    """
    with store.reading_directly() as tx:
        return _deletable(tx, meant)


def _deletable(tx: Connection, meant: Meant) -> list[JobRecord]:
    records = _final(tx, meant, "deleted")
    if isinstance(meant, Matched):
        awaited = dependencies.awaited_of(tx, [record.seq for record in records])
        return [record for record in records if record.seq not in awaited]
    _require_not_awaited(tx, records)
    return records


def require_final(store: Store, meant: Meant, deed: str) -> list[JobRecord]:
    """Give the jobs that something would be done with now, as ``retry`` would; raises as that."""
    with store.reading_directly() as tx:
        return _final(tx, meant, deed)


def _final(tx: Connection, meant: Meant, deed: str) -> list[JobRecord]:
    """Give the jobs as they are now, each once; raises ``JobNotFinal`` or ``JobNotFound``."""
    found = latest(tx, meant)
    pending = [record for record in found if not record.status.is_final]
    if pending:
        raise JobNotFinal([record.job_id for record in pending], [record.status for record in pending], deed)
    return found


def _unbegun(tx: Connection, meant: Meant, deed: str) -> list[int]:
    """Give the numbers of the jobs, each once, none of which has begun; raises ``JobHasBegun`` or ``JobNotFound``."""
    found = latest(tx, meant)
    begun = [record for record in found if record.status not in UNBEGUN]
    if begun:
        raise JobHasBegun([record.job_id for record in begun], [record.status for record in begun], deed)
    return list(dict.fromkeys(record.seq for record in found))


def _require_not_awaited(tx: Connection, records: Sequence[JobRecord]) -> None:
    ids = {record.seq: record.job_id for record in records}
    found = dependencies.pending_dependants(tx, list(ids), at_most=_DEPENDANTS_NAMED)
    if found:
        raise JobAwaited(ids[found[0][0]], [job_id for seq, job_id in found if seq == found[0][0]])
