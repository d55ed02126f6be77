"""What must be true of a job's history, whatever has happened to the job."""

from __future__ import annotations

from itertools import pairwise

from aerjob_cli.states import Status, may_move
from aerjob_cli.store import events, jobs
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import EventRecord, JobRecord


def require_legal(store: Store, job_id: str, told: object = "") -> JobRecord:
    """See that a job's history is a chain of legal moves that leads to its state; give the job as it is now.

    ``told`` is what a failure says of the point at which the history was looked at.
    """
    with store.reading() as tx:
        now = jobs.find(tx, job_id)
        history = events.history(tx, now.seq)
    seen = (told, now, history)
    assert history[0].from_status is None, seen
    assert history[0].to_status in (Status.INITIALIZING, Status.QUEUED), seen
    for before, after in pairwise(history):
        assert after.from_status is before.to_status, seen
        stays = before.to_status is after.to_status and not after.to_status.is_final  # what it waits for has changed
        assert stays or may_move(before.to_status, after.to_status), seen
    assert history[-1].to_status is now.status, seen
    ends = [event for event in history if event.to_status.is_final]
    assert len(ends) == now.status.is_final, seen
    assert (now.finished_us is not None) == now.status.is_final, seen
    attempts = begun(history)
    assert attempts == list(range(1, len(attempts) + 1)), seen
    assert now.attempt == len(attempts), seen
    assert now.attempts_charged <= now.attempt, seen
    return now


def begun(history: list[EventRecord]) -> list[int]:
    """Give the numbers of the attempts that began, in their order."""
    return [event.attempt for event in history if event.to_status is Status.RUNNING is not event.from_status]
