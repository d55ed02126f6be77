"""The moves of a job that a worker holds: who may make them, and what each of them writes.

What executors bring, for many jobs at once, is written by ``deliveries``. Taking a job is in ``claims``, asking for
the end of one in ``cancels``, putting back what a lost worker held in ``releases``, what ends mean for others in
``dependencies``. Each landed move is one row in `events`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aerjob_cli.states import Reason, Status
from aerjob_cli.store import dependencies
from aerjob_cli.store.cancels import CANCELLED
from aerjob_cli.store.events import note_moves
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import Claim

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import lifecycle as statements
else:
    statements = prepared("lifecycle")

# A parser that died with a circuit may have been unlucky once, not twice.
VALIDATIONS_AT_MOST = 2
STDERR_TAIL_CHARACTERS = 4000
NOT_BEGUN = "not begun"


def return_validation(tx: Connection, held: Claim, *, message: str | None, now_us: int) -> bool:
    """VALIDATING → INITIALIZING after the validator died, or → ERROR when that was its second try.

    Without a ``message`` the try was ended by order and does not count.
    """
    if message is not None:
        tries = tx.execute(statements.VALIDATIONS, {"held_seq": held.job_seq}).scalar()
        if tries is not None and tries >= VALIDATIONS_AT_MOST:
            return fail(tx, held, Reason.INVALID_CIRCUIT, message, stderr_tail=None, now_us=now_us)
    landed = _has_landed(tx, statements.RETURN_VALIDATION, held, uncounted=int(message is None))
    if landed:
        note_moves(tx, [held], Status.INITIALIZING, message or "validation was stopped", now_us)
    return landed


def note_executor(tx: Connection, held: Claim, *, pid: int, started: str) -> bool:
    """Write down which process runs the attempt, for those who look at the job."""
    return _has_landed(tx, statements.NOTE_EXECUTOR, held, new_pid=pid, new_started=started)


def fail(
    tx: Connection,
    held: Claim,
    reason: Reason,
    message: str,
    *,
    stderr_tail: str | None,
    now_us: int,
    line: int | None = None,
    column: int | None = None,
) -> bool:
    """VALIDATING or RUNNING → ERROR. ``line`` and ``column``, from 1, say where in the submitted text the fault is."""
    values = {
        "new_reason": reason,
        "new_message": message,
        "new_stderr_tail": None if stderr_tail is None else stderr_tail[-STDERR_TAIL_CHARACTERS:],
        "new_line": line,
        "new_column": column,
    }
    return _has_ended(tx, statements.FAIL, held, values, Status.ERROR, why=f"{reason}: {message}", now_us=now_us)


def crash(tx: Connection, held: Claim, reason: Reason, message: str, *, stderr_tail: str | None, now_us: int) -> bool:
    """RUNNING → QUEUED after an attempt that broke off, or → ERROR when it was the last one allowed.

    A job that somebody wants ended goes to CANCELLED.
    """
    if _is_unwanted(tx, held):
        return cancel_held(tx, held, now_us=now_us)
    row = tx.execute(statements.ATTEMPTS, {"held_seq": held.job_seq}).one_or_none()
    if row is not None and row.attempts_charged + 1 >= row.max_attempts:
        sentence = f"{message} (attempt {held.attempt}; {row.max_attempts} are allowed)"
        return fail(tx, held, reason, sentence, stderr_tail=stderr_tail, now_us=now_us)
    landed = _has_landed(tx, statements.QUEUE_AGAIN, held, charged=1)
    if landed:
        note_moves(tx, [held], Status.QUEUED, f"{reason}: {message}", now_us)
    return landed


def give_back(tx: Connection, held: Claim, *, why: str, now_us: int) -> bool:
    """RUNNING → QUEUED by order (a drain, a job that was not begun): the attempt is not charged.

    A job that somebody wants ended goes to CANCELLED.
    """
    if _is_unwanted(tx, held):
        return cancel_held(tx, held, now_us=now_us)
    landed = _has_landed(tx, statements.QUEUE_AGAIN, held, charged=0)
    if landed:
        note_moves(tx, [held], Status.QUEUED, why, now_us)
    return landed


def put_back(tx: Connection, held: Claim, *, why: str, now_us: int) -> bool:
    """RUNNING → QUEUED of a job that no executor has begun: there has been no attempt, and its number is free again.

    The history says so with ``NOT_BEGUN``. A job that somebody wants ended goes to CANCELLED.
    """
    if _is_unwanted(tx, held):
        return cancel_held(tx, held, now_us=now_us)
    landed = _has_landed(tx, statements.PUT_BACK, held)
    if landed:
        note_moves(tx, [held], Status.QUEUED, f"{NOT_BEGUN}: {why}", now_us)
    return landed


def cancel_held(tx: Connection, held: Claim, *, now_us: int) -> bool:
    """VALIDATING or RUNNING → CANCELLED, after its executor has been ended; the message is that of the wish."""
    values = {"otherwise": CANCELLED}
    return _has_ended(
        tx, statements.CANCEL, held, values, Status.CANCELLED, why="cancelled while it ran", now_us=now_us
    )


def _is_unwanted(tx: Connection, held: Claim) -> bool:
    """Tell whether somebody wants the job ended, which its worker may not have seen yet."""
    return tx.execute(statements.CANCEL_REQUESTED, {"held_seq": held.job_seq}).scalar() is not None


def _has_landed(tx: Connection, statement: Any, held: Claim, **values: Any) -> bool:
    """Write a move, if the job is still in the hands of that claim, and tell whether it is."""
    return tx.execute(statement, {**_claim(held), **values}).rowcount == 1


def _has_ended(
    tx: Connection, statement: Any, held: Claim, values: Mapping[str, Any], target: Status, *, why: str, now_us: int
) -> bool:
    """Write an end, if the job is still in the hands of that claim, and tell whether it is."""
    ended = tx.execute(statement, {**_claim(held), **values, "now_us": now_us}).all()
    if ended:
        note_moves(tx, [held], target, why, now_us)
        dependencies.settle(tx, dependencies.awaited(ended), now_us=now_us)
    return bool(ended)


def _claim(held: Claim) -> dict[str, Any]:
    return {
        "held_seq": held.job_seq,
        "held_status": held.status,
        "held_attempt": held.attempt,
        "held_token": held.token,
    }
