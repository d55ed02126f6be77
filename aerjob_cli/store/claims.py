"""Taking jobs: one worker gets each, with the right to advance it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, case, null, select, update

from aerjob_cli.states import Status
from aerjob_cli.store.events import note
from aerjob_cli.store.jobs import record_of
from aerjob_cli.store.moves import not_before_submission, note_move
from aerjob_cli.store.records import Claim, ClaimedJob
from aerjob_cli.store.statements.jobs import JOB_COLUMNS
from aerjob_cli.store.tables import IS_QUEUED, jobs


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
    next_ones = select(jobs.c.seq).where(IS_QUEUED).order_by(jobs.c.priority.desc(), jobs.c.seq).limit(limit)
    token = secrets.token_hex(16)
    rows = tx.execute(
        update(jobs)
        .where(jobs.c.seq.in_(next_ones), jobs.c.status == Status.QUEUED)
        .values(
            status=Status.RUNNING,
            worker_id=worker_id,
            claim_token=token,
            attempt=jobs.c.attempt + 1,
            started_us=case((jobs.c.started_us.is_(None), not_before_submission(now_us)), else_=jobs.c.started_us),
            # Those of an earlier attempt.
            executor_pid=null(),
            executor_started=null(),
        )
        .returning(*JOB_COLUMNS)
    ).all()
    claimed = _claimed(rows, Status.RUNNING, token, worker_id)
    for item in claimed:
        note_move(tx, item.claim, Status.QUEUED, Status.RUNNING, f"attempt {item.claim.attempt} began", now_us)
    return sorted(claimed, key=lambda item: (-item.job.priority, item.job.seq))


def claims_of(tx: Connection, worker_id: str) -> dict[tuple[int, str], bool]:
    """Give (sequence number, token) of each claim this worker still has, and whether somebody wants the job ended."""
    query = select(jobs.c.seq, jobs.c.claim_token, jobs.c.cancel_requested_us).where(
        jobs.c.finished_us.is_(None),
        jobs.c.status.in_((Status.VALIDATING, Status.RUNNING)),
        jobs.c.worker_id == worker_id,
    )
    return {(row.seq, row.claim_token): row.cancel_requested_us is not None for row in tx.execute(query)}


def _claimed(rows: Sequence[Any], status: Status, token: str, worker_id: str) -> list[ClaimedJob]:
    records = [record_of(row) for row in rows]
    return [ClaimedJob(job, Claim(job.seq, job.job_id, status, job.attempt, token, worker_id)) for job in records]
