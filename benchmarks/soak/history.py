"""Whether the history of a job is one that may be: each transition allowed, each attempt once, one end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from aerjob_cli.states import FINAL, Reason, Status, may_move
from aerjob_cli.store.lifecycle import NOT_BEGUN
from aerjob_cli.store.records import EventRecord, JobRecord

_FIRST = (Status.INITIALIZING, Status.QUEUED)
_RETRIED = tuple(reason for reason in Reason if reason.is_retried)


def faults_of(job: JobRecord, history: Sequence[EventRecord]) -> list[str]:
    """Give what is wrong with a history, as short sentences; nothing when all is well."""
    if not history:
        return ["it has no history"]
    found = []
    if history[0].from_status is not None or history[0].to_status not in _FIRST:
        found.append(f"it began with {history[0].from_status} to {history[0].to_status}")
    for before, after in pairwise(history):
        if after.from_status is not before.to_status:
            found.append(f"{before.to_status} is followed by a move from {after.from_status}")
        if after.from_status is None or not may_move(after.from_status, after.to_status):
            found.append(f"it went from {after.from_status} to {after.to_status}")
    if history[-1].to_status is not job.status:
        found.append(f"its history ends in {history[-1].to_status}, and it is {job.status}")
    attempts = _attempts_in(history)
    if attempts != list(range(1, job.attempt + 1)):
        found.append(f"its attempts are {attempts}, and it is at {job.attempt}")
    charged = sum(event.to_status is Status.QUEUED and event.why.startswith(_RETRIED) for event in history)
    if charged != job.attempts_charged:
        found.append(f"{charged} attempts broke off, and {job.attempts_charged} are charged")
    return found


def _attempts_in(history: Sequence[EventRecord]) -> list[int]:
    """Give the numbers of the attempts; one that no executor had begun was none."""
    followed = zip(history, [*history[1:], None], strict=True)
    return [
        event.attempt
        for event, after in followed
        if event.to_status is Status.RUNNING and (after is None or not after.why.startswith(NOT_BEGUN))
    ]


def ends_in(history: Sequence[EventRecord]) -> int:
    """Count the final states in a history; there may be one."""
    return sum(event.to_status in FINAL for event in history)
