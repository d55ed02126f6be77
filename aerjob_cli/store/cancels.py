"""Ending jobs on request: at once those that do not run; those that do are their worker's to end (`lifecycle`)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING

from aerjob_cli.states import Status
from aerjob_cli.store import dependencies
from aerjob_cli.store.events import note
from aerjob_cli.store.parts import in_parts
from aerjob_cli.store.prepared import prepared

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import cancels as statements
else:
    statements = prepared("cancels")

CANCELLED = "cancelled on request"


class CancelAnswer(Enum):
    """What became of a request to cancel."""

    ENDED = auto()
    REQUESTED = auto()
    WAS_FINAL = auto()


def request_cancel(tx: Connection, job_seq: int, *, now_us: int, message: str | None = None) -> CancelAnswer:
    """Cancel a job that does not run yet at once; ask the worker to end one that does."""
    return request_cancels(tx, [job_seq], now_us=now_us, message=message)[job_seq]


def request_cancels(
    tx: Connection, job_seqs: Sequence[int], *, now_us: int, message: str | None = None
) -> dict[int, CancelAnswer]:
    """Do so for many jobs, and give what became of each; one that is not there counts as final.

    ``message`` says why, in the words of whoever wants it; of several messages for a running job the first one counts.
    """
    answers = dict.fromkeys(job_seqs, CancelAnswer.WAS_FINAL)
    awaited: list[int] = []
    for part in in_parts(job_seqs):
        by_status: dict[Status, list[int]] = {}
        for seq, status in tx.execute(statements.PENDING_OF, {"seqs": part}):
            by_status.setdefault(Status(status), []).append(seq)
        for status, seqs in by_status.items():
            if status is Status.RUNNING:
                _ask_to_end(tx, seqs, now_us, message)
            else:
                awaited += _cancel_before_it_runs(tx, seqs, status, now_us, message)
            answers |= dict.fromkeys(seqs, CancelAnswer.REQUESTED if status is Status.RUNNING else CancelAnswer.ENDED)
    # After all of them: who wants a job ended and what depends on it finds both cancelled.
    dependencies.settle(tx, awaited, now_us=now_us)
    return answers


def _ask_to_end(tx: Connection, seqs: Sequence[int], now_us: int, message: str | None) -> None:
    tx.execute(statements.ASK_TO_END, {"seqs": seqs, "now_us": now_us, "wish": message})


def _cancel_before_it_runs(
    tx: Connection, seqs: Sequence[int], status: Status, now_us: int, message: str | None
) -> list[int]:
    """Do so, and give those that others depend on."""
    why = CANCELLED if message is None else message
    values = {"seqs": seqs, "was": status, "now_us": now_us, "why": why}
    ended = tx.execute(statements.CANCEL_BEFORE_IT_RUNS, values).all()
    note(tx, seqs, at_us=now_us, source=status, target=Status.CANCELLED, why="cancelled before it ran")
    return dependencies.awaited(ended)
