"""The moves of a job: who may make them, and what each of them writes.

Every write that ends or advances an attempt states the status, the attempt and the token that it expects, and answers
whether it landed: a worker that lost its claim changes nothing. Each landed move is one row in `events`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, insert, null, select, update

from aerjob_cli.states import PENDING, Reason, Status
from aerjob_cli.store.events import note
from aerjob_cli.store.jobs import JOB_COLUMNS, record_of
from aerjob_cli.store.records import Claim, ClaimedJob, ExperimentRecord
from aerjob_cli.store.tables import IS_QUEUED, experiment_arrays, experiments, jobs, workers

# A parser that died with a circuit may have been unlucky once, not twice.
VALIDATIONS_AT_MOST = 2
STDERR_TAIL_CHARACTERS = 4000
_AT_ONCE = 500  # below SQLite's limit of parameters in any build


def claim_validations(tx: Connection, worker_id: str, *, limit: int, now_us: int) -> list[ClaimedJob]:
    """INITIALIZING → VALIDATING for the first submitted jobs, at most ``limit`` of them."""
    first = (
        select(jobs.c.seq)
        .where(jobs.c.finished_us.is_(None), jobs.c.status == Status.INITIALIZING)
        .order_by(jobs.c.seq)
        .limit(limit)
    )
    token = secrets.token_hex(16)
    rows = tx.execute(
        update(jobs)
        .where(jobs.c.seq.in_(first))
        .values(
            status=Status.VALIDATING,
            worker_id=worker_id,
            claim_token=token,
            validations=jobs.c.validations + 1,
        )
        .returning(*JOB_COLUMNS)
    ).all()
    claimed = _claimed(rows, Status.VALIDATING, token, worker_id)
    note(
        tx,
        [item.claim.job_seq for item in claimed],
        at_us=now_us,
        source=Status.INITIALIZING,
        target=Status.VALIDATING,
        worker_id=worker_id,
        why="claimed for validation",
    )
    return claimed


def claim(tx: Connection, worker_id: str, *, limit: int, now_us: int) -> list[ClaimedJob]:
    """QUEUED → RUNNING for the next jobs by priority, then submission, at most ``limit`` of them."""
    next_ones = (
        select(jobs.c.seq)
        .where(IS_QUEUED)
        .order_by(jobs.c.priority.desc(), jobs.c.seq)
        .limit(limit)
    )
    token = secrets.token_hex(16)
    rows = tx.execute(
        update(jobs)
        .where(jobs.c.seq.in_(next_ones), jobs.c.status == Status.QUEUED)
        .values(
            status=Status.RUNNING,
            worker_id=worker_id,
            claim_token=token,
            attempt=jobs.c.attempt + 1,
            started_us=case((jobs.c.started_us.is_(None), _not_before_submission(now_us)), else_=jobs.c.started_us),
            # Those of an earlier attempt.
            executor_pid=null(),
            executor_started=null(),
        )
        .returning(*JOB_COLUMNS)
    ).all()
    claimed = _claimed(rows, Status.RUNNING, token, worker_id)
    for item in claimed:
        _note(tx, item.claim, Status.QUEUED, Status.RUNNING, f"attempt {item.claim.attempt} began", now_us)
    return sorted(claimed, key=lambda item: (-item.job.priority, item.job.seq))


def accept(tx: Connection, held: Claim, *, experiments_total: int, threads: int, now_us: int) -> bool:
    """VALIDATING → QUEUED: the circuits can run; how many they are and on how many threads is now fixed."""
    landed = _leave(tx, held, Status.QUEUED, experiments_total=experiments_total, threads=threads)
    if landed:
        _note(tx, held, held.status, Status.QUEUED, "validated", now_us)
    return landed


def return_validation(tx: Connection, held: Claim, *, message: str | None, now_us: int) -> bool:
    """VALIDATING → INITIALIZING after the validator died, or → ERROR when that was its second try.

    Without a ``message`` the try was ended by order and does not count.
    """
    if message is not None:
        tries = tx.execute(select(jobs.c.validations).where(jobs.c.seq == held.job_seq)).scalar()
        if tries is not None and tries >= VALIDATIONS_AT_MOST:
            return fail(tx, held, Reason.INVALID_CIRCUIT, message, stderr_tail=None, now_us=now_us)
    count = jobs.c.validations if message is not None else jobs.c.validations - 1
    landed = _leave(tx, held, Status.INITIALIZING, validations=count)
    if landed:
        _note(tx, held, held.status, Status.INITIALIZING, message or "validation was stopped", now_us)
    return landed


def record_experiments(tx: Connection, held: Claim, results: Sequence[ExperimentRecord]) -> bool:
    """Store results of the running attempt; each position once, whoever ran it."""
    if not results:
        return True
    landed = tx.execute(
        update(jobs).where(_is_held(held)).values(experiments_done=jobs.c.experiments_done + len(results))
    ).rowcount
    if landed != 1:
        return False
    tx.execute(
        insert(experiments),
        [
            {
                "job_seq": held.job_seq,
                "position": result.position,
                "attempt": held.attempt,
                "name": result.payload.name,
                "shots": result.shots,
                "format": result.payload.format,
                "sha256": result.payload.sha256,
                "size_bytes": result.payload.size_bytes,
                "data": result.payload.data,
            }
            for result in results
        ],
    )
    arrays = [
        {
            "job_seq": held.job_seq,
            "position": result.position,
            "name": array.name,
            "format": array.format,
            "sha256": array.sha256,
            "size_bytes": array.size_bytes,
            "data": array.data,
        }
        for result in results
        for array in result.arrays
    ]
    if arrays:
        tx.execute(insert(experiment_arrays), arrays)
    return True


def note_executor(tx: Connection, held: Claim, *, pid: int, started: str) -> bool:
    """Write down which process runs the attempt, for those who look at the job."""
    statement = update(jobs).where(_is_held(held)).values(executor_pid=pid, executor_started=started)
    return tx.execute(statement).rowcount == 1


def finish(tx: Connection, held: Claim, *, engine: str, now_us: int) -> bool:
    """RUNNING → DONE, when the result of every experiment is stored."""
    is_complete = jobs.c.experiments_done == jobs.c.experiments_total
    landed = _leave(tx, held, Status.DONE, is_complete, engine=engine, finished_us=_not_before_start(now_us))
    if landed:
        _note(tx, held, held.status, Status.DONE, "every experiment succeeded", now_us)
    return landed


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
    landed = _leave(
        tx,
        held,
        Status.ERROR,
        reason=reason,
        message=message,
        stderr_tail=None if stderr_tail is None else stderr_tail[-STDERR_TAIL_CHARACTERS:],
        error_line=line,
        error_column=column,
        finished_us=_not_before_start(now_us),
    )
    if landed:
        _note(tx, held, held.status, Status.ERROR, f"{reason}: {message}", now_us)
    return landed


def crash(tx: Connection, held: Claim, reason: Reason, message: str, *, stderr_tail: str | None, now_us: int) -> bool:
    """RUNNING → QUEUED after an attempt that broke off, or → ERROR when it was the last one allowed."""
    row = tx.execute(
        select(jobs.c.attempts_charged, jobs.c.max_attempts).where(jobs.c.seq == held.job_seq)
    ).one_or_none()
    if row is not None and row.attempts_charged + 1 >= row.max_attempts:
        sentence = f"{message} (attempt {held.attempt}; {row.max_attempts} are allowed)"
        return fail(tx, held, reason, sentence, stderr_tail=stderr_tail, now_us=now_us)
    landed = _leave(tx, held, Status.QUEUED, attempts_charged=jobs.c.attempts_charged + 1)
    if landed:
        _note(tx, held, held.status, Status.QUEUED, f"{reason}: {message}", now_us)
    return landed


def give_back(tx: Connection, held: Claim, *, why: str, now_us: int) -> bool:
    """RUNNING → QUEUED by order (a drain, a job that was not begun): the attempt is not charged."""
    landed = _leave(tx, held, Status.QUEUED)
    if landed:
        _note(tx, held, held.status, Status.QUEUED, why, now_us)
    return landed


def cancel_held(tx: Connection, held: Claim, *, now_us: int) -> bool:
    """VALIDATING or RUNNING → CANCELLED, after its executor has been ended; the message is that of the wish."""
    landed = _leave(
        tx,
        held,
        Status.CANCELLED,
        reason=Reason.USER_CANCELLED,
        message=func.coalesce(jobs.c.cancel_message, _CANCELLED),
        finished_us=_not_before_start(now_us),
    )
    if landed:
        _note(tx, held, held.status, Status.CANCELLED, "cancelled while it ran", now_us)
    return landed


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
    for start in range(0, len(job_seqs), _AT_ONCE):
        pending = select(jobs.c.seq, jobs.c.status).where(
            jobs.c.seq.in_(job_seqs[start : start + _AT_ONCE]), jobs.c.status.in_(tuple(PENDING))
        )
        by_status: dict[Status, list[int]] = {}
        for seq, status in tx.execute(pending):
            by_status.setdefault(Status(status), []).append(seq)
        for status, seqs in by_status.items():
            if status is Status.RUNNING:
                _ask_to_end(tx, seqs, now_us, message)
            else:
                _cancel_before_it_runs(tx, seqs, status, now_us, message)
            answers |= dict.fromkeys(seqs, CancelAnswer.REQUESTED if status is Status.RUNNING else CancelAnswer.ENDED)
    return answers


def _ask_to_end(tx: Connection, seqs: Sequence[int], now_us: int, message: str | None) -> None:
    tx.execute(
        update(jobs)
        .where(jobs.c.seq.in_(seqs), jobs.c.status == Status.RUNNING)
        .values(
            cancel_requested_us=func.coalesce(jobs.c.cancel_requested_us, now_us),
            cancel_message=func.coalesce(jobs.c.cancel_message, message),
        )
    )


def _cancel_before_it_runs(
    tx: Connection, seqs: Sequence[int], status: Status, now_us: int, message: str | None
) -> None:
    tx.execute(
        update(jobs)
        .where(jobs.c.seq.in_(seqs), jobs.c.status == status)
        .values(
            status=Status.CANCELLED,
            reason=Reason.USER_CANCELLED,
            message=_CANCELLED if message is None else message,
            claim_token=null(),
            cancel_requested_us=now_us,
            finished_us=_not_before_start(now_us),
        )
    )
    note(tx, seqs, at_us=now_us, source=status, target=Status.CANCELLED, why="cancelled before it ran")


def claims_of(tx: Connection, worker_id: str) -> dict[tuple[int, str], bool]:
    """Give (sequence number, token) of each claim this worker still has, and whether somebody wants the job ended."""
    query = select(jobs.c.seq, jobs.c.claim_token, jobs.c.cancel_requested_us).where(
        jobs.c.finished_us.is_(None),
        jobs.c.status.in_((Status.VALIDATING, Status.RUNNING)),
        jobs.c.worker_id == worker_id,
    )
    return {(row.seq, row.claim_token): row.cancel_requested_us is not None for row in tx.execute(query)}


@dataclass(frozen=True)
class Released:
    """A job that was taken from a worker that is no more, and where it went."""

    job_id: str
    attempt: int
    source: Status
    target: Status
    lost_worker_id: str


def release_lost(tx: Connection, *, new_worker_id: str, boot_id: str, now_us: int) -> list[Released]:
    """Put back what workers before this one left behind; it never runs anything.

    The caller holds the worker's lock, so nobody else works on this store. Attempts that ended with a reboot, or with a
    worker that had been told to stop, are not charged.
    """
    return _release_claims(tx, jobs.c.worker_id != new_worker_id, boot_id=boot_id, now_us=now_us)


def release_stopped(tx: Connection, worker_id: str, *, now_us: int) -> list[Released]:
    """Put back what a worker held that was told to stop (``workers.request_drain``) and is gone; nothing is charged."""
    return _release_claims(tx, jobs.c.worker_id == worker_id, boot_id=None, now_us=now_us)


def _release_claims(
    tx: Connection, of_whom: ColumnElement[bool], *, boot_id: str | None, now_us: int
) -> list[Released]:
    query = (
        select(*JOB_COLUMNS, jobs.c.claim_token, workers.c.boot_id, workers.c.drain_requested_us)
        .outerjoin(workers, workers.c.worker_id == jobs.c.worker_id)
        .where(jobs.c.finished_us.is_(None), jobs.c.status.in_((Status.VALIDATING, Status.RUNNING)), of_whom)
        .order_by(jobs.c.seq)
    )
    released = []
    for row in tx.execute(query).all():
        status = Status(row.status)
        held = Claim(row.seq, row.job_id, status, row.attempt, row.claim_token, row.worker_id)
        excuse = None
        if row.drain_requested_us is not None:
            excuse = "the worker was stopped"
        elif row.boot_id != boot_id:
            excuse = "the machine was restarted"
        _release(tx, held, wants_end=row.cancel_requested_us is not None, excuse=excuse, now_us=now_us)
        target = Status(tx.execute(select(jobs.c.status).where(jobs.c.seq == row.seq)).scalar_one())
        released.append(Released(row.job_id, row.attempt, status, target, row.worker_id))
    return released


def _release(tx: Connection, held: Claim, *, wants_end: bool, excuse: str | None, now_us: int) -> None:
    if wants_end:
        cancel_held(tx, held, now_us=now_us)
    elif held.status is Status.VALIDATING:
        return_validation(tx, held, message=None, now_us=now_us)
    elif excuse is not None:
        give_back(tx, held, why=excuse, now_us=now_us)
    else:
        crash(tx, held, Reason.WORKER_LOST, "the worker was lost", stderr_tail=None, now_us=now_us)


_CANCELLED = "cancelled on request"


def _is_held(held: Claim) -> ColumnElement[bool]:
    return and_(
        jobs.c.seq == held.job_seq,
        jobs.c.status == held.status,
        jobs.c.attempt == held.attempt,
        jobs.c.claim_token == held.token,
    )


def _leave(tx: Connection, held: Claim, target: Status, *conditions: ColumnElement[bool], **values: Any) -> bool:
    statement = update(jobs).where(_is_held(held), *conditions).values(status=target, claim_token=null(), **values)
    return tx.execute(statement).rowcount == 1


def _note(tx: Connection, held: Claim, source: Status, target: Status, why: str, now_us: int) -> None:
    note(
        tx,
        [held.job_seq],
        at_us=now_us,
        source=source,
        target=target,
        attempt=held.attempt,
        worker_id=held.worker_id,
        why=why,
    )


def _claimed(rows: Sequence[Any], status: Status, token: str, worker_id: str) -> list[ClaimedJob]:
    records = [record_of(row) for row in rows]
    return [ClaimedJob(job, Claim(job.seq, job.job_id, status, job.attempt, token, worker_id)) for job in records]


def _not_before_submission(now_us: int) -> ColumnElement[int]:
    return _later(jobs.c.submitted_us, now_us)


def _not_before_start(now_us: int) -> ColumnElement[int]:
    # A clock that was set back must not give a job a negative duration.
    begun = case((jobs.c.started_us.is_(None), jobs.c.submitted_us), else_=jobs.c.started_us)
    return _later(begun, now_us)


def _later(earlier: ColumnElement[Any], now_us: int) -> ColumnElement[int]:
    return case((earlier > now_us, earlier), else_=now_us)
