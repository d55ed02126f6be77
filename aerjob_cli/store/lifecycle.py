"""The moves of a job that a worker holds: who may make them, and what each of them writes.

What executors bring, for many jobs at once, is written by ``deliveries``. Taking a job is in ``claims``, asking for
the end of one in ``cancels``, putting back what a lost worker held in ``releases``. Each landed move is one row in
`events`.
"""

from __future__ import annotations

from sqlalchemy import Connection, case, func, null, select, update

from aerjob_cli.states import Reason, Status
from aerjob_cli.store.cancels import CANCELLED
from aerjob_cli.store.events import note_moves
from aerjob_cli.store.moves import is_held, leave, not_before_start
from aerjob_cli.store.records import Claim
from aerjob_cli.store.tables import jobs

# A parser that died with a circuit may have been unlucky once, not twice.
VALIDATIONS_AT_MOST = 2
STDERR_TAIL_CHARACTERS = 4000
NOT_BEGUN = "not begun"


def return_validation(tx: Connection, held: Claim, *, message: str | None, now_us: int) -> bool:
    """VALIDATING → INITIALIZING after the validator died, or → ERROR when that was its second try.

    Without a ``message`` the try was ended by order and does not count.
    """
    if message is not None:
        tries = tx.execute(select(jobs.c.validations).where(jobs.c.seq == held.job_seq)).scalar()
        if tries is not None and tries >= VALIDATIONS_AT_MOST:
            return fail(tx, held, Reason.INVALID_CIRCUIT, message, stderr_tail=None, now_us=now_us)
    count = jobs.c.validations if message is not None else jobs.c.validations - 1
    landed = leave(tx, held, Status.INITIALIZING, validations=count)
    if landed:
        note_moves(tx, [held], Status.INITIALIZING, message or "validation was stopped", now_us)
    return landed


def note_executor(tx: Connection, held: Claim, *, pid: int, started: str) -> bool:
    """Write down which process runs the attempt, for those who look at the job."""
    statement = update(jobs).where(is_held(held)).values(executor_pid=pid, executor_started=started)
    return tx.execute(statement).rowcount == 1


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
    landed = leave(
        tx,
        held,
        Status.ERROR,
        reason=reason,
        message=message,
        stderr_tail=None if stderr_tail is None else stderr_tail[-STDERR_TAIL_CHARACTERS:],
        error_line=line,
        error_column=column,
        finished_us=not_before_start(now_us),
    )
    if landed:
        note_moves(tx, [held], Status.ERROR, f"{reason}: {message}", now_us)
    return landed


def crash(tx: Connection, held: Claim, reason: Reason, message: str, *, stderr_tail: str | None, now_us: int) -> bool:
    """RUNNING → QUEUED after an attempt that broke off, or → ERROR when it was the last one allowed.

    A job that somebody wants ended goes to CANCELLED.
    """
    if _is_unwanted(tx, held):
        return cancel_held(tx, held, now_us=now_us)
    row = tx.execute(
        select(jobs.c.attempts_charged, jobs.c.max_attempts).where(jobs.c.seq == held.job_seq)
    ).one_or_none()
    if row is not None and row.attempts_charged + 1 >= row.max_attempts:
        sentence = f"{message} (attempt {held.attempt}; {row.max_attempts} are allowed)"
        return fail(tx, held, reason, sentence, stderr_tail=stderr_tail, now_us=now_us)
    landed = leave(tx, held, Status.QUEUED, attempts_charged=jobs.c.attempts_charged + 1)
    if landed:
        note_moves(tx, [held], Status.QUEUED, f"{reason}: {message}", now_us)
    return landed


def give_back(tx: Connection, held: Claim, *, why: str, now_us: int) -> bool:
    """RUNNING → QUEUED by order (a drain, a job that was not begun): the attempt is not charged.

    A job that somebody wants ended goes to CANCELLED.
    """
    if _is_unwanted(tx, held):
        return cancel_held(tx, held, now_us=now_us)
    landed = leave(tx, held, Status.QUEUED)
    if landed:
        note_moves(tx, [held], Status.QUEUED, why, now_us)
    return landed


def put_back(tx: Connection, held: Claim, *, why: str, now_us: int) -> bool:
    """RUNNING → QUEUED of a job that no executor has begun: there has been no attempt, and its number is free again.

    The history says so with ``NOT_BEGUN``. A job that somebody wants ended goes to CANCELLED.
    """
    if _is_unwanted(tx, held):
        return cancel_held(tx, held, now_us=now_us)
    landed = leave(
        tx,
        held,
        Status.QUEUED,
        attempt=jobs.c.attempt - 1,
        started_us=case((jobs.c.attempt == 1, null()), else_=jobs.c.started_us),
    )
    if landed:
        note_moves(tx, [held], Status.QUEUED, f"{NOT_BEGUN}: {why}", now_us)
    return landed


def cancel_held(tx: Connection, held: Claim, *, now_us: int) -> bool:
    """VALIDATING or RUNNING → CANCELLED, after its executor has been ended; the message is that of the wish."""
    landed = leave(
        tx,
        held,
        Status.CANCELLED,
        reason=Reason.USER_CANCELLED,
        message=func.coalesce(jobs.c.cancel_message, CANCELLED),
        finished_us=not_before_start(now_us),
    )
    if landed:
        note_moves(tx, [held], Status.CANCELLED, "cancelled while it ran", now_us)
    return landed


def _is_unwanted(tx: Connection, held: Claim) -> bool:
    """Tell whether somebody wants the job ended, which its worker may not have seen yet."""
    asked_us = select(jobs.c.cancel_requested_us).where(jobs.c.seq == held.job_seq)
    return tx.execute(asked_us).scalar() is not None
