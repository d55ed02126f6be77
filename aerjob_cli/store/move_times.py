"""When a job moved, where the clock was set back in between: no job ends before it began."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case

from aerjob_cli.store.tables import jobs


def not_before_submission(now_us: int | ColumnElement[int]) -> ColumnElement[int]:
    """Give now, or the time of submission where the clock was set back since."""
    return _later(jobs.c.submitted_us, now_us)


def not_before_start(now_us: int | ColumnElement[int]) -> ColumnElement[int]:
    """Give now, or the start where the clock was set back since: no job has a negative duration."""
    begun = case((jobs.c.started_us.is_(None), jobs.c.submitted_us), else_=jobs.c.started_us)
    return _later(begun, now_us)


def _later(earlier: ColumnElement[Any], now_us: int | ColumnElement[int]) -> ColumnElement[int]:
    return case((earlier > now_us, earlier), else_=now_us)
