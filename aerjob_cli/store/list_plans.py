"""By which index a list of jobs is read, so that it costs what it shows and not what there is in the store.

The database cannot know: it keeps no statistics, and takes a condition that nearly all jobs fulfil for as good as one
that three do. So the choice is made here. A condition that few jobs fulfil is answered by its index, and the few are
sorted in Python. When there are many for each condition, they are met soon by who walks along an index in the order
that is wanted, and looks at each job. The statements leave no choice: of their conditions only that of the chosen
index has a form that an index answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from aerjob_cli.frozen import dataclass
from aerjob_cli.states import FINAL, Reason, Status
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


@dataclass(frozen=True)
class Condition:
    """What jobs must fulfil, and the index that knows which do.

    ``parts`` are stretches of that index, which have no job in common; each is in every order of ``orders``, and those
    of a tag are of another table. ``for_each`` says the same of one job in a form that no index answers. Without
    ``parts`` no index knows, and only jobs that are found by something else are looked at.
    """

    parts: tuple[ColumnElement[bool], ...]
    orders: frozenset[str]
    for_each: ColumnElement[bool]
    is_tag: bool = False

    def has_few(self, tx: Connection) -> bool:
        """Tell whether fewer than ``FEW`` jobs fulfil it; reads no more than it takes to see that."""
        if not self.parts:
            return False
        of_what = job_tags.c.job_seq if self.is_tag else jobs.c.seq
        left = FEW
        for part in self.parts:
            some = select(of_what).where(part).limit(left).subquery()
            left -= tx.execute(select(func.count()).select_from(some)).scalar_one()
            if left <= 0:
                return False
        return True


def with_status(statuses: Sequence[Status]) -> Condition:
    """Ask for one of some states."""
    wanted = tuple(dict.fromkeys(statuses))
    parts = tuple(
        (jobs.c.finished_us.is_not(None) if status in FINAL else jobs.c.finished_us.is_(None))
        & (jobs.c.status == status)
        for status in wanted
    )
    return Condition(parts, frozenset({"seq", "status"}), jobs.c.status.concat("").in_(wanted))


def with_reason(reasons: Sequence[Reason]) -> Condition:
    """Ask for one of some reasons."""
    wanted = tuple(dict.fromkeys(reasons))
    parts = tuple(jobs.c.reason == reason for reason in wanted)
    return Condition(parts, frozenset({"seq"}), jobs.c.reason.concat("").in_(wanted))


def with_tag(tag: str) -> Condition:
    """Ask for a tag."""
    other = job_tags.alias("other_tags")
    has_it = select(other.c.tag).where(other.c.job_seq == jobs.c.seq, other.c.tag.concat("") == tag)
    return Condition((job_tags.c.tag == tag,), frozenset({"seq"}), has_it.exists(), is_tag=True)


def with_group(name: str) -> Condition:
    """Ask for a group."""
    return Condition((jobs.c.group_name == name,), frozenset({"seq"}), jobs.c.group_name.concat("") == name)


def not_retried() -> Condition:
    """Ask for jobs of which no other one was made by trying them again; no index knows which these are."""
    later = jobs.alias("later")
    is_retried = select(later.c.seq).where(later.c.retry_of == jobs.c.job_id).exists()
    return Condition((), frozenset(), ~is_retried)


def with_backend(name: str) -> Condition:
    """Ask for a simulator."""
    return Condition((jobs.c.backend == name,), frozenset({"seq", "backend"}), jobs.c.backend.concat("") == name)


def with_name(pattern: str) -> Condition:
    """Ask for a name, or for one that fits: these are looked for among all that begin alike, or are all looked at."""
    special = re.search(r"[*?]", pattern)
    if special is None:
        return Condition((jobs.c.name == pattern,), frozenset({"seq", "name"}), jobs.c.name.concat("") == pattern)
    # SQLite's own operator; LIKE would not tell `Bell` from `bell`. A bracket means nothing to us, but to GLOB it does.
    glob = re.sub(r"\*+", "*", pattern).replace("[", "[[]")
    stretch: ColumnElement[bool] = jobs.c.name.op("GLOB", is_comparison=True)(glob)
    if beginning := pattern[: special.start()]:
        stretch &= jobs.c.name >= beginning
        if (after := _after_all_that_begin(beginning)) is not None:
            stretch &= jobs.c.name < after
    fits = jobs.c.name.concat("").op("GLOB", is_comparison=True)(glob)
    return Condition((stretch,), frozenset({"name"}), fits)


def submitted_between(since_us: int | None, until_us: int | None) -> Condition:
    """Ask for a time of submission, from one on and before another."""
    bounds: list[Callable[[ColumnElement[int]], ColumnElement[bool]]] = []
    if since_us is not None:
        bounds.append(lambda time_us: time_us >= since_us)
    if until_us is not None:
        bounds.append(lambda time_us: time_us < until_us)

    def within(time_us: ColumnElement[int]) -> ColumnElement[bool]:
        first, *others = (bound(time_us) for bound in bounds)
        return first.self_group() if not others else first & others[0]

    stretch, for_each = within(jobs.c.submitted_us), within(jobs.c.submitted_us + 0)
    return Condition((stretch,), frozenset({"submitted_us"}), for_each)


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
        if condition.has_few(tx):
            return _sorted(along(condition, in_order=False), order, descending)[:limit]
    if leading is not None:
        return _sorted(along(leading, in_order=True), order, descending)[:limit]
    if order == "status":
        every = with_status(tuple(Status))
        return _sorted(along(every, in_order=True), order, descending)[:limit]
    indexed = [condition for condition in conditions if condition.parts]
    if order == "duration" and indexed:
        # Without an index, since each would have to be written as a job ends: all that fit are read.
        return _sorted(along(indexed[0], in_order=False), order, descending)[:limit]
    return _walked(tx, rest(None), order, descending=descending, limit=limit)


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


def _after_all_that_begin(beginning: str) -> str | None:
    """Give the least text that is greater than all that begin so; None where there is none."""
    for at in range(len(beginning) - 1, -1, -1):
        point = ord(beginning[at]) + 1
        if point == 0xD800:  # those up to 0xDFFF are no characters
            point = 0xE000
        if point <= 0x10FFFF:
            return beginning[:at] + chr(point)
    return None
