"""Listing jobs: what they must have in common, and in which order they come. Nothing here changes a job."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, select

from aerjob_cli.frozen import dataclass
from aerjob_cli.states import FINAL, Reason, Status
from aerjob_cli.store.jobs import all_jobs, record_of
from aerjob_cli.store.records import JobRecord
from aerjob_cli.store.tables import job_tags, jobs

# No two of a million random ids are likely to begin with the same 10 digits; 8 are what people are used to.
SHORT_ID_CHARACTERS = 8
_AT_ONCE = 500  # below SQLite's limit of parameters in any build


@dataclass(frozen=True)
class JobFilter:
    """What jobs must have in common to be listed; what is left out does not matter.

    A job has one of ``statuses``, one of ``reasons`` and all of ``tags``. In ``name``, ``*`` stands for any text and
    ``?`` for one character. It was submitted from ``since_us`` on and before ``until_us`` (microseconds since 1970,
    UTC).
    """

    statuses: tuple[Status, ...] = ()
    reasons: tuple[Reason, ...] = ()
    tags: tuple[str, ...] = ()
    name: str | None = None
    backend: str | None = None
    since_us: int | None = None
    until_us: int | None = None


class SortKey(StrEnum):
    """What a list of jobs may be sorted by."""

    SUBMITTED = "submitted"
    STARTED = "started"
    FINISHED = "finished"
    STATUS = "status"
    NAME = "name"
    BACKEND = "backend"
    PRIORITY = "priority"
    DURATION = "duration"


def listed(
    tx: Connection,
    wanted: JobFilter,
    *,
    limit: int | None = None,
    sort: SortKey = SortKey.SUBMITTED,
    descending: bool = True,
) -> list[JobRecord]:
    """List the jobs that fit, the last submitted first unless told otherwise.

    Jobs without the value that they are sorted by come last in either direction. Equal ones are in the order of their
    submission, which is reversed with ``descending`` as well.
    """
    query = all_jobs().where(*_conditions(wanted)).order_by(*_order(sort, descending)).limit(limit)
    return [record_of(row) for row in tx.execute(query)]


def matching_seqs(tx: Connection, wanted: JobFilter) -> list[int]:
    """Give the sequence numbers of the jobs that fit, the first submitted first."""
    return list(tx.execute(select(jobs.c.seq).where(*_conditions(wanted)).order_by(jobs.c.seq)).scalars())


def short_ids(tx: Connection, records: Sequence[JobRecord]) -> dict[str, str]:
    """Give for each id its shortest beginning, of 8 characters or more, that no other job of the store has."""
    short = {}
    for start in range(0, len(records), _AT_ONCE):
        seqs = [record.seq for record in records[start : start + _AT_ONCE]]
        for job_id, before, after in tx.execute(_neighbours().where(jobs.c.seq.in_(seqs))):
            common = max(_common_characters(job_id, before), _common_characters(job_id, after))
            short[job_id] = job_id[: max(SHORT_ID_CHARACTERS, common + 1)]
    return short


def _conditions(wanted: JobFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.statuses:
        conditions.append(jobs.c.status.in_(wanted.statuses))
        if FINAL.isdisjoint(wanted.statuses):
            # What lets the small index of pending jobs answer.
            conditions.append(jobs.c.finished_us.is_(None))
    if wanted.reasons:
        conditions.append(jobs.c.reason.in_(wanted.reasons))
    conditions += [
        jobs.c.seq.in_(select(job_tags.c.job_seq).where(job_tags.c.tag == tag)) for tag in dict.fromkeys(wanted.tags)
    ]
    if wanted.name is not None:
        conditions.append(_has_name(wanted.name))
    if wanted.backend is not None:
        conditions.append(jobs.c.backend == wanted.backend)
    if wanted.since_us is not None:
        conditions.append(jobs.c.submitted_us >= wanted.since_us)
    if wanted.until_us is not None:
        conditions.append(jobs.c.submitted_us < wanted.until_us)
    return conditions


def _has_name(pattern: str) -> ColumnElement[bool]:
    if not re.search(r"[*?]", pattern):
        return jobs.c.name == pattern
    # SQLite's own operator; LIKE would not tell `Bell` from `bell`. A bracket means nothing to us, but to GLOB it does.
    glob = re.sub(r"\*+", "*", pattern).replace("[", "[[]")
    return jobs.c.name.op("GLOB", is_comparison=True)(glob)


def _order(sort: SortKey, descending: bool) -> list[ColumnElement[Any]]:
    def directed(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return column.desc() if descending else column.asc()

    if sort is SortKey.SUBMITTED:
        # By number, not by time: a clock that was set back does not change the order.
        return [directed(jobs.c.seq)]
    return [directed(_sorted_by(sort)).nulls_last(), directed(jobs.c.seq)]


def _sorted_by(sort: SortKey) -> ColumnElement[Any]:
    match sort:
        case SortKey.STARTED:
            return jobs.c.started_us
        case SortKey.FINISHED:
            return jobs.c.finished_us
        case SortKey.STATUS:
            # In the order of a job's life.
            return case({status: position for position, status in enumerate(Status)}, value=jobs.c.status)
        case SortKey.DURATION:
            return jobs.c.finished_us - jobs.c.started_us
        case _:
            return jobs.c[sort]


def _neighbours() -> Select[Any]:
    """Select ids with the ids before and after them in the alphabet, which the unique index gives at once."""
    other = jobs.alias("other")
    before = select(func.max(other.c.job_id)).where(other.c.job_id < jobs.c.job_id).scalar_subquery()
    after = select(func.min(other.c.job_id)).where(other.c.job_id > jobs.c.job_id).scalar_subquery()
    return select(jobs.c.job_id, before, after)


def _common_characters(one: str, other: str | None) -> int:
    if other is None:
        return 0
    return next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))
