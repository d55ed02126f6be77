"""What jobs may be asked for, each in the form of an index that knows which jobs these are, and in that of one job."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, func, select

from aerjob_cli.frozen import dataclass
from aerjob_cli.states import FINAL, PENDING, Part, Reason, Status
from aerjob_cli.store.listing import JobFilter
from aerjob_cli.store.tables import job_tags, jobs, prunings


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


def conditions_of(wanted: JobFilter) -> list[Condition]:
    """Give what a job must fulfil to fit, those conditions first that few jobs are likely to fulfil."""
    conditions = [with_tag(tag) for tag in dict.fromkeys(wanted.tags)]
    if wanted.group is not None:
        conditions.append(with_group(wanted.group))
    if wanted.name is not None:
        conditions.append(with_name(wanted.name))
    if wanted.reasons:
        conditions.append(with_reason(wanted.reasons))
    if wanted.statuses:
        conditions.append(with_status(wanted.statuses))
    if wanted.since_us is not None or wanted.until_us is not None:
        conditions.append(submitted_between(wanted.since_us, wanted.until_us))
    if wanted.older_than_us is not None:
        conditions.append(older_than(wanted.older_than_us))
    if wanted.backend is not None:
        conditions.append(with_backend(wanted.backend))
    if wanted.not_retried:
        conditions.append(not_retried())
    if wanted.without_tags:
        conditions.append(without_tags(wanted.without_tags))
    if wanted.parts:
        conditions.append(with_part(wanted.parts))
    return conditions


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


def without_tags(tags: Sequence[str]) -> Condition:
    """Ask for none of some tags; no index knows which jobs these are."""
    other = job_tags.alias("unwanted_tags")
    has_one = select(other.c.tag).where(other.c.job_seq == jobs.c.seq, other.c.tag.concat("").in_(tuple(tags)))
    return Condition((), frozenset(), ~has_one.exists())


def with_part(parts: Sequence[Part]) -> Condition:
    """Ask for jobs of which one of these has not been removed; no index knows which these are."""
    removed = (prunings.c[f"{part}_us"].is_not(None) for part in parts)
    has_none = select(prunings.c.job_seq).where(prunings.c.job_seq == jobs.c.seq, *removed).exists()
    if Part.CIRCUITS in parts:
        return Condition((), frozenset(), ~has_none)
    return Condition((), frozenset(), (jobs.c.experiments_done > 0) & ~has_none)


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


def older_than(time_us: int) -> Condition:
    """Ask for an end before a time, or a submission before it where there is no end: of these all are looked at."""
    waiting = tuple(
        jobs.c.finished_us.is_(None) & (jobs.c.status == status) & (jobs.c.submitted_us + 0 < time_us)
        for status in sorted(PENDING)
    )
    for_each = func.coalesce(jobs.c.finished_us, jobs.c.submitted_us) < time_us
    return Condition((jobs.c.finished_us < time_us, *waiting), frozenset(), for_each)


def _after_all_that_begin(beginning: str) -> str | None:
    """Give the least text that is greater than all that begin so; None where there is none."""
    for at in range(len(beginning) - 1, -1, -1):
        point = ord(beginning[at]) + 1
        if point == 0xD800:  # those up to 0xDFFF are no characters
            point = 0xE000
        if point <= 0x10FFFF:
            return beginning[:at] + chr(point)
    return None
