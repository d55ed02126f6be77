"""By which index a list of jobs is read, so that it costs what it shows and not what there is in the store.

The database cannot know: it keeps no statistics, and takes a condition that nearly all jobs fulfil for as good as one
that three do. So the choice is made here. A condition that few jobs fulfil is answered by its index, and the few are
sorted in Python. When there are many for each condition, they are met soon by who walks along an index in the order
that is wanted, and looks at each job. The statements leave no choice: of their conditions only that of the chosen
index has a form that an index answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from aerjob_cli.states import Status
from aerjob_cli.store.list_conditions import Condition, with_status
from aerjob_cli.store.parts import in_parts
from aerjob_cli.store.tables import job_tags, jobs

# Of so many jobs those that fit are found and sorted in some milliseconds; and in a store of a million, who walks along
# and looks for 20 of so many has them after as long.
FEW = 4000

# How jobs can be ordered: by a column, and equal ones by their number.
ORDERS: dict[str, ColumnElement[Any]] = {
    **{
        name: jobs.c[name]
        for name in ("seq", "submitted_us", "started_us", "finished_us", "status", "name", "backend", "priority")
    },
    "duration": jobs.c.finished_us - jobs.c.started_us,
}
_LIFE = {str(status): position for position, status in enumerate(Status)}


def fulfilling(tx: Connection, conditions: Sequence[Condition], seqs: Sequence[int]) -> list[int]:
    """Give those of some numbers whose jobs are there and fulfil all conditions, in their order."""
    found: set[int] = set()
    for part in in_parts(seqs):
        query = select(jobs.c.seq).where(jobs.c.seq.in_(part), *(condition.for_each for condition in conditions))
        found.update(tx.execute(query).scalars())
    return [seq for seq in seqs if seq in found]


def ordered_seqs(
    tx: Connection,
    conditions: Sequence[Condition],
    order: str,
    *,
    descending: bool,
    limit: int | None,
) -> list[int]:
    """Give the numbers of the first jobs in that order that fulfil all conditions, those without a value last.

    ``conditions`` come with those first that are rather fulfilled by few.
    """

    def rest(chosen: Condition | None) -> list[ColumnElement[bool]]:
        return [condition.for_each for condition in conditions if condition is not chosen]

    def along(chosen: Condition, *, in_order: bool) -> list[tuple[Any, int]]:
        rows: list[tuple[Any, int]] = []
        for part in chosen.parts:
            query = _of(chosen, part, order).where(*rest(chosen))
            rows += tx.execute(_first(query, chosen, order, descending, limit) if in_order else query)
        return rows

    leading = next((condition for condition in conditions if order in condition.orders), None)
    if len(conditions) == 1 and leading is not None:
        return _sorted(along(leading, in_order=True), order, descending)[:limit]
    for condition in conditions:
        if _has_few(tx, condition):
            return _sorted(along(condition, in_order=False), order, descending)[:limit]
    if leading is not None:
        return _sorted(along(leading, in_order=True), order, descending)[:limit]
    indexed = [condition for condition in conditions if condition.parts]
    if indexed and (order == "duration" or limit is None):
        # A duration has no index, since each would have to be written as a job ends: all that fit are read, as they are
        # where all are wanted.
        return _sorted(along(indexed[0], in_order=False), order, descending)[:limit]
    if order == "status":
        return _sorted(along(with_status(tuple(Status)), in_order=True), order, descending)[:limit]
    return _walked(tx, rest(None), order, descending=descending, limit=limit)


def _has_few(tx: Connection, condition: Condition) -> bool:
    """Tell whether fewer than ``FEW`` jobs fulfil it; reads no more than it takes to see that."""
    if not condition.parts:
        return False
    of_what = job_tags.c.job_seq if condition.is_tag else jobs.c.seq
    left = FEW
    for part in condition.parts:
        some = select(of_what).where(part).limit(left).subquery()
        left -= tx.execute(select(func.count()).select_from(some)).scalar_one()
        if left <= 0:
            return False
    return True


def _walked(
    tx: Connection, rest: Sequence[ColumnElement[bool]], order: str, *, descending: bool, limit: int | None
) -> list[int]:
    """Read along the index of the order, then those that it leaves out since they have no value."""
    key = ORDERS[order]
    query = select(jobs.c.seq).where(*rest).limit(limit)
    if order == "seq":
        return list(tx.execute(query.order_by(_directed(jobs.c.seq, descending))).scalars())
    valued = query.where(key.is_not(None)).order_by(_directed(key, descending), _directed(jobs.c.seq, descending))
    found = list(tx.execute(valued).scalars())
    left = None if limit is None else limit - len(found)
    if left == 0:
        return found
    unvalued = query.where(key.is_(None)).order_by(_directed(jobs.c.seq, descending)).limit(left)
    return found + list(tx.execute(unvalued).scalars())


def _of(condition: Condition, part: ColumnElement[bool], order: str) -> Select[tuple[Any, int]]:
    query = select(ORDERS[order].label("key"), jobs.c.seq).where(part)
    return query.join_from(job_tags, jobs, jobs.c.seq == job_tags.c.job_seq) if condition.is_tag else query


def _first(
    query: Select[tuple[Any, int]], condition: Condition, order: str, descending: bool, limit: int | None
) -> Select[tuple[Any, int]]:
    seq = job_tags.c.job_seq if condition.is_tag else jobs.c.seq
    # Within a part of them all have the same state.
    columns = [seq] if order in ("seq", "status") else [ORDERS[order], seq]
    return query.order_by(*(_directed(column, descending) for column in columns)).limit(limit)


def _sorted(rows: Sequence[tuple[Any, int]], order: str, descending: bool) -> list[int]:
    """Order rows of a value and a number; texts compare by their code points, which is as their bytes in UTF-8."""
    if order == "status":
        rows = [(_LIFE[status], seq) for status, seq in rows]
    valued = sorted((row for row in rows if row[0] is not None), reverse=descending)
    unvalued = sorted((row[1] for row in rows if row[0] is None), reverse=descending)
    return [seq for _, seq in valued] + unvalued


def _directed(column: ColumnElement[Any], descending: bool) -> ColumnElement[Any]:
    return column.desc() if descending else column.asc()
