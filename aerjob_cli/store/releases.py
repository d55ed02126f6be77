"""Putting back what workers held that are no more. Nothing is run here."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, select

from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Reason, Status
from aerjob_cli.store.lifecycle import cancel_held, crash, give_back, return_validation
from aerjob_cli.store.records import Claim
from aerjob_cli.store.statements.jobs import JOB_COLUMNS
from aerjob_cli.store.tables import jobs, workers


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
    )
    released = []
    for row in sorted(tx.execute(query), key=lambda row: row.seq):
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
