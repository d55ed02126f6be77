"""Listing jobs: what they must have in common, and in which order they come. Nothing here changes a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from aerjob_cli.frozen import dataclass
from aerjob_cli.states import FINAL, Part, Reason, Status
from aerjob_cli.store.jobs import find_all
from aerjob_cli.store.parts import in_parts
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import JobRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import groups as group_statements
    from aerjob_cli.store.statements import listing as statements
else:
    group_statements = prepared("groups")
    statements = prepared("listing")

# No two of a million random ids are likely to begin with the same 10 digits; 8 are what people are used to.
SHORT_ID_CHARACTERS = 8


@dataclass(frozen=True)
class JobFilter:
    """What jobs must have in common to be listed; what is left out does not matter.

    A job has one of ``statuses``, one of ``reasons`` and all of ``tags``. In ``name``, ``*`` stands for any text and
    ``?`` for one character. It was submitted from ``since_us`` on and before ``until_us`` (microseconds since 1970,
    UTC). It has ended before ``older_than_us`` or, where it has not ended, was submitted before then. It is in
    ``group``, and with ``not_retried`` nobody has tried it again yet. It has none of ``without_tags``, and one of
    ``parts`` still.
    """

    statuses: tuple[Status, ...] = ()
    reasons: tuple[Reason, ...] = ()
    tags: tuple[str, ...] = ()
    name: str | None = None
    backend: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    older_than_us: int | None = None
    group: str | None = None
    not_retried: bool = False
    without_tags: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    def among(self, statuses: frozenset[Status]) -> JobFilter | None:
        """Narrow it to jobs in some states; None where it asks for other ones, so that none can fit."""
        left = tuple(status for status in Status if status in statuses and status in (self.statuses or statuses))
        # Without any status a filter would take them all.
        return replace(self, statuses=left) if left else None


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


# By number, not by time: a clock that was set back does not change the order.
_ORDERS = {SortKey.SUBMITTED: "seq", SortKey.STARTED: "started_us", SortKey.FINISHED: "finished_us"}
# Jobs that have not ended have no value of these, and so are in the order of their numbers.
_OF_ENDED = ("finished_us", "duration")


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
    submission, which is reversed with ``descending`` as well. Who asks for a time of submission gets the jobs in the
    order of these times, which is another one where the clock was set back.
    """
    return find_all(tx, _seqs(tx, wanted, sort, descending=descending, limit=limit))


def matching_seqs(tx: Connection, wanted: JobFilter) -> list[int]:
    """Give the sequence numbers of the jobs that fit, the first submitted first."""
    return sorted(_seqs(tx, wanted, SortKey.SUBMITTED, descending=False, limit=None))


def still_fitting(tx: Connection, wanted: JobFilter, seqs: Sequence[int]) -> list[int]:
    """Give those of some sequence numbers whose jobs are there and fit, in their order."""
    from aerjob_cli.store.list_conditions import conditions_of
    from aerjob_cli.store.list_plans import fulfilling

    return fulfilling(tx, conditions_of(wanted), seqs)


def is_group(tx: Connection, name: str) -> bool:
    """Tell whether a job is in the group."""
    return bool(_of_group(tx, name, descending=True, limit=1))


def short_ids(tx: Connection, records: Sequence[JobRecord]) -> dict[str, str]:
    """Give for each id its shortest beginning, of 8 characters or more, that no other job of the store has."""
    short = {}
    for part in in_parts(records):
        seqs = [record.seq for record in part]
        for job_id, before, after in tx.execute(statements.NEIGHBOURS, {"seqs": seqs}):
            common = max(_common_characters(job_id, before), _common_characters(job_id, after))
            short[job_id] = job_id[: max(SHORT_ID_CHARACTERS, common + 1)]
    return short


def _seqs(tx: Connection, wanted: JobFilter, sort: SortKey, *, descending: bool, limit: int | None) -> list[int]:
    if wanted == JobFilter() and sort is SortKey.SUBMITTED and descending and limit is not None:
        return list(tx.execute(statements.LATEST, {"limit": limit}).scalars())
    if wanted.group is not None and wanted == JobFilter(group=wanted.group) and sort is SortKey.SUBMITTED:
        return _of_group(tx, wanted.group, descending=descending, limit=limit)
    # What else may be asked for is too much to have all the statements of.
    from aerjob_cli.store.list_conditions import conditions_of
    from aerjob_cli.store.list_plans import ordered_seqs

    order = _ORDERS.get(sort, str(sort))
    if wanted.statuses and order in _OF_ENDED and FINAL.isdisjoint(wanted.statuses):
        order = "seq"
    if sort is SortKey.SUBMITTED and (wanted.since_us is not None or wanted.until_us is not None):
        order = "submitted_us"
    return ordered_seqs(tx, conditions_of(wanted), order, descending=descending, limit=limit)


def _of_group(tx: Connection, group: str, *, descending: bool, limit: int | None) -> list[int]:
    if descending and limit is not None:
        return list(tx.execute(group_statements.LATEST, {"of_group": group, "limit": limit}).scalars())
    seqs: list[int] = list(tx.execute(group_statements.SEQS, {"of_group": group}).scalars())
    return (seqs[::-1] if descending else seqs)[:limit]


def _common_characters(one: str, other: str | None) -> int:
    if other is None:
        return 0
    return next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))
