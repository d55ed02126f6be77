"""Jobs that start after others: what becomes of them when those end, in the transaction of that end.

Each verb that ends jobs calls ``settle`` with those of them that others depend on, which its own statement tells of
(``ended_columns``). A job depends on jobs that were there before it, so that no circle can come about.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aerjob_cli.errors import JobNotFound
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import After, Reason, Status
from aerjob_cli.store.events import note
from aerjob_cli.store.parts import in_parts
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import Dependency, DependencyRecord, Submission

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import dependencies as statements
else:
    statements = prepared("dependencies")

MET = "what it depends on has ended as it should"


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a job to be has before it: how much of what it depends on is open, and why it can never start, if so."""

    rows: tuple[tuple[int, After], ...]
    unmet: int
    unmet_any: bool
    why_never: str | None


def prospects(tx: Connection, submissions: Sequence[Submission]) -> dict[str, Prospect]:
    """Look at what jobs to be depend on, and give what that means for each that depends on any, by its id.

    Raises ``JobNotFound`` for a job that is not there.
    """
    named = list(dict.fromkeys(item.job_id for submission in submissions for item in submission.dependencies))
    found: dict[str, Any] = {}
    for part in in_parts(named):
        found |= {row.job_id: row for row in tx.execute(statements.NAMED, {"job_ids": part})}
    for job_id in named:
        if job_id not in found:
            raise JobNotFound(job_id)
    return {
        submission.job_id: _prospect(submission.dependencies, found)
        for submission in submissions
        if submission.dependencies
    }


def _prospect(wanted: Sequence[Dependency], found: dict[str, Any]) -> Prospect:
    anyone = dict.fromkeys(item.job_id for item in wanted if item.kind is After.ANY_DONE)
    # One of which any is to be DONE is one that is to be DONE.
    kinds = {After.ANY_DONE: After.DONE} if len(anyone) == 1 else {}
    rows = dict.fromkeys((found[item.job_id], kinds.get(item.kind, item.kind)) for item in wanted)
    unmet, why_never = 0, None
    for on, kind in rows:
        if kind is After.ANY_DONE:
            continue
        unmet += not _is_met(kind, on.status)
        if kind is After.DONE and Status(on.status).is_final and on.status != Status.DONE:
            why_never = why_never or _why(kind, on.job_id, on.status, on.reason)
    several = [on for on, kind in rows if kind is After.ANY_DONE]
    unmet_any = bool(several) and all(on.status != Status.DONE for on in several)
    if unmet_any and all(Status(on.status).is_final for on in several):
        last = several[-1]
        why_never = why_never or _why(After.ANY_DONE, last.job_id, last.status, last.reason)
    return Prospect(tuple((on.seq, kind) for on, kind in rows), unmet, unmet_any, why_never)


def add(tx: Connection, new: Mapping[int, Prospect], statuses: Mapping[int, Status], *, now_us: int) -> None:
    """Write down what new jobs depend on, by their sequence numbers; those that can never start end here."""
    rows = [
        {"job_seq": seq, "on_seq": on_seq, "kind": kind}
        for seq, prospect in new.items()
        for on_seq, kind in prospect.rows
    ]
    if rows:
        tx.execute(statements.INSERT_DEPENDENCIES, rows)
    _fail(tx, {seq: _Doom(statuses[seq], 0, why) for seq, item in new.items() if (why := item.why_never)}, now_us)


def of_job(tx: Connection, job_seq: int) -> list[DependencyRecord]:
    """Give what a job depends on, and how those jobs are; the first submitted first."""
    rows = tx.execute(statements.OF_JOB, {"of_job": job_seq})
    return [DependencyRecord(After(row.kind), row.seq, row.job_id, Status(row.status)) for row in rows]


def pending_dependants(tx: Connection, job_seqs: Sequence[int], *, at_most: int) -> list[tuple[int, str]]:
    """Give up to so many pairs of one of the jobs, and the id of a job that has not ended and depends on it."""
    found: list[tuple[int, str]] = []
    for part in in_parts(job_seqs):
        rows = tx.execute(statements.PENDING_DEPENDANTS, {"seqs": part, "at_most": at_most - len(found)})
        found += [(row.on_seq, row.job_id) for row in rows]
        if len(found) >= at_most:
            break
    return found


def awaited_of(tx: Connection, job_seqs: Sequence[int]) -> set[int]:
    """Give those of the jobs that others depend on which have not ended."""
    found: set[int] = set()
    for part in in_parts(job_seqs):
        found.update(tx.execute(statements.AWAITED_OF, {"seqs": part}).scalars())
    return found


def awaited(ended: Iterable[Any]) -> list[int]:
    """Give those that others depend on, of what a statement with ``ended_columns`` gave."""
    return [row.seq for row in ended if row.is_awaited]


def settle(tx: Connection, ended: Sequence[int], *, now_us: int) -> None:
    """Tell the jobs that depend on some that have ended: they wait for less, or can never start and end as well.

    These are in ERROR with DEPENDENCY_FAILED then, and so are those that depend on them, down to the last.
    """
    while ended:
        rows = [row for part in in_parts(ended) for row in tx.execute(statements.WAITING_FOR, {"seqs": part})]
        _meet(tx, rows, now_us)
        ended = _fail(tx, _doomed(tx, rows), now_us)


@dataclass(frozen=True, slots=True)
class _Doom:
    """Where a job was that can never start, and why it cannot."""

    status: Status
    attempt: int
    why: str


def _meet(tx: Connection, rows: Sequence[Any], now_us: int) -> None:
    """Count down for each job what it waits for no longer, and say of those that wait for none that they do not."""
    met = Counter(row.job_seq for row in rows if row.kind != After.ANY_DONE and _is_met(After(row.kind), row.on_status))
    met_any = {row.job_seq for row in rows if row.kind == After.ANY_DONE and row.on_status == Status.DONE}
    by_number: dict[int, list[int]] = defaultdict(list)
    for seq, number in met.items():
        by_number[number].append(seq)
    left: dict[int, Any] = {}
    for part in in_parts(sorted(met_any)):
        left |= {row.seq: row for row in tx.execute(statements.MEET_ANY, {"seqs": part}).all()}
    for number, seqs in by_number.items():
        for part in in_parts(seqs):
            left |= {row.seq: row for row in tx.execute(statements.MEET, {"seqs": part, "met": number}).all()}
    free: dict[tuple[str, int], list[int]] = defaultdict(list)
    for row in left.values():
        if row.waits == row.held + (row.begin_us is not None):
            free[row.status, row.attempt].append(row.seq)
    for (status, attempt), seqs in free.items():
        here = Status(status)
        note(tx, sorted(seqs), at_us=now_us, source=here, target=here, attempt=attempt, why=MET)


def _doomed(tx: Connection, rows: Sequence[Any]) -> dict[int, _Doom]:
    """Give the jobs that can never start any more."""
    doomed: dict[int, _Doom] = {}
    doubtful: dict[int, _Doom] = {}
    for row in rows:
        if row.kind == After.ENDED or row.on_status == Status.DONE:
            continue
        why = _why(After(row.kind), row.on_id, row.on_status, row.on_reason)
        (doomed if row.kind == After.DONE else doubtful)[row.job_seq] = _Doom(Status(row.status), row.attempt, why)
    for part in in_parts(sorted(doubtful.keys() - doomed.keys())):
        for seq in tx.execute(statements.WITHOUT_HOPE, {"seqs": part}).scalars().all():
            doomed[seq] = doubtful[seq]
    return doomed


def _fail(tx: Connection, doomed: dict[int, _Doom], now_us: int) -> list[int]:
    """End jobs that can never start, and give those of them that others depend on."""
    alike: dict[_Doom, list[int]] = defaultdict(list)
    for seq, doom in doomed.items():
        alike[doom].append(seq)
    found: list[int] = []
    for doom, seqs in alike.items():
        for part in in_parts(sorted(seqs)):
            ended = tx.execute(statements.FAIL, {"seqs": part, "why": doom.why, "now_us": now_us}).all()
            note(
                tx,
                sorted(row.seq for row in ended),
                at_us=now_us,
                source=doom.status,
                target=Status.ERROR,
                attempt=doom.attempt,
                why=f"{Reason.DEPENDENCY_FAILED}: {doom.why}",
            )
            found += awaited(ended)
    return found


def _is_met(kind: After, on_status: str) -> bool:
    return on_status == Status.DONE or (kind is After.ENDED and Status(on_status).is_final)


def _why(kind: After, on_id: str, on_status: str, on_reason: str | None) -> str:
    end = f"{on_status} ({on_reason})"
    if kind is After.ANY_DONE:
        return f"it waited for one of several jobs to be DONE, and none can be any more: job {on_id} ended in {end}"
    return f"it waited for job {on_id} to be DONE, and that ended in {end}"
