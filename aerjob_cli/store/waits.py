"""What keeps jobs from starting that somebody can change, and the passing of time: holds, times, priorities.

Nothing here moves a job: it stays in its state, and its history has a row for what was changed. What other jobs have to
do with it is in ``dependencies``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from aerjob_cli.states import Status
from aerjob_cli.store.events import note
from aerjob_cli.store.parts import in_parts
from aerjob_cli.store.prepared import prepared

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import waits as statements
else:
    statements = prepared("waits")


def hold(tx: Connection, job_seqs: Sequence[int], *, now_us: int) -> None:
    """Keep those of the jobs from starting that have not begun; one that is held stays so."""
    _change(tx, statements.HOLD, job_seqs, "held", now_us)


def release(tx: Connection, job_seqs: Sequence[int], *, now_us: int) -> None:
    """Let those of the jobs start, as far as it depends on that, that are held."""
    _change(tx, statements.RELEASE, job_seqs, "released", now_us)


def set_priority(tx: Connection, job_seqs: Sequence[int], priority: int, *, now_us: int) -> None:
    """Give those of the jobs another place in the queue that have not begun."""
    for part in in_parts(job_seqs):
        before: dict[int, list[Any]] = defaultdict(list)
        for row in tx.execute(statements.PRIORITIES, {"seqs": part, "new_priority": priority}).all():
            before[row.priority].append(row)
        tx.execute(statements.SET_PRIORITY, {"seqs": part, "new_priority": priority})
        for earlier, rows in before.items():
            _note(tx, rows, f"priority {earlier} becomes {priority}", now_us)


def begin_due(tx: Connection, *, now_us: int) -> None:
    """Let jobs start, as far as it depends on that, whose time has come."""
    rows = tx.execute(statements.BEGIN_DUE, {"now_us": now_us}).all()
    _note(tx, rows, "the time has come before which it was not to begin", now_us)


def next_begin_us(tx: Connection) -> int | None:
    """Give the next time for which any job waits, in microseconds since 1970; it may be over. None where none does."""
    time_us: int | None = tx.execute(statements.NEXT_BEGIN).scalar()
    return time_us


def _change(tx: Connection, statement: Any, job_seqs: Sequence[int], why: str, now_us: int) -> None:
    for part in in_parts(job_seqs):
        _note(tx, tx.execute(statement, {"seqs": part}).all(), why, now_us)


def _note(tx: Connection, rows: Iterable[Any], why: str, now_us: int) -> None:
    """Add to the history of each job that it is where it was, and what has changed."""
    alike: dict[tuple[Status, int], list[int]] = defaultdict(list)
    for row in rows:
        alike[Status(row.status), row.attempt].append(row.seq)
    for (status, attempt), seqs in alike.items():
        note(tx, sorted(seqs), at_us=now_us, source=status, target=status, attempt=attempt, why=why)
