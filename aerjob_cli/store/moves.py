"""What every move of a job is made of: a guarded write, and a row of its history.

A write that ends or advances an attempt states the status, the attempt and the token that it expects, and answers
whether it landed: a worker that lost its claim changes nothing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, null, update

from aerjob_cli.states import Status
from aerjob_cli.store.records import Claim
from aerjob_cli.store.tables import jobs


def is_held(held: Claim) -> ColumnElement[bool]:
    """Give the condition that a job is still in the hands of that claim."""
    return and_(
        jobs.c.seq == held.job_seq,
        jobs.c.status == held.status,
        jobs.c.attempt == held.attempt,
        jobs.c.claim_token == held.token,
    )


def leave(tx: Connection, held: Claim, target: Status, *conditions: ColumnElement[bool], **values: Any) -> bool:
    """Have a claim end in another state, unless it was lost or ``conditions`` do not hold; return whether it landed."""
    statement = update(jobs).where(is_held(held), *conditions).values(status=target, claim_token=null(), **values)
    return tx.execute(statement).rowcount == 1


def not_before_submission(now_us: int | ColumnElement[int]) -> ColumnElement[int]:
    """Give now, or the time of submission where the clock was set back since."""
    return _later(jobs.c.submitted_us, now_us)


def not_before_start(now_us: int | ColumnElement[int]) -> ColumnElement[int]:
    """Give now, or the start where the clock was set back since: no job has a negative duration."""
    begun = case((jobs.c.started_us.is_(None), jobs.c.submitted_us), else_=jobs.c.started_us)
    return _later(begun, now_us)


def _later(earlier: ColumnElement[Any], now_us: int | ColumnElement[int]) -> ColumnElement[int]:
    return case((earlier > now_us, earlier), else_=now_us)
