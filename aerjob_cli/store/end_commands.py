"""The commands that are to be run when jobs have ended: due, begun, finished. Nothing is run here.

A trigger makes the row in the transaction that ends the job. It is marked as begun, and that is on the disk, before the
command is: whatever is killed in between, no command runs twice. One may not run at all then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from aerjob_cli.clock import to_datetime
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Reason, Status
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.values import complete, parsed

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from aerjob_cli.store.statements import end_commands as statements
else:
    statements = prepared("end_commands")

LOST = "lost: the worker ended while it ran"
_STAYED_DUE = "not run here: this store is a copy, made before the command had begun"
_STAYED_BEGUN = "not known here: this store is a copy, made while the command ran"


@dataclass(frozen=True, slots=True)
class DueCommand:
    """A command whose job has ended, and what it is told of that job; ``folder`` is where the job was submitted."""

    job_seq: int
    job_id: str
    command: str
    status: Status
    reason: Reason | None
    name: str | None
    folder: str | None


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of a command, and when."""

    job_seq: int
    outcome: str
    at_us: int


@dataclass(frozen=True, slots=True)
class EndCommandRecord:
    """What is known of the command of a job that has ended; all None while it is due."""

    begun_us: int | None
    worker_id: str | None
    finished_us: int | None
    outcome: str | None

    @property
    def begun_at(self) -> datetime | None:
        return None if self.begun_us is None else to_datetime(self.begun_us)

    @property
    def finished_at(self) -> datetime | None:
        return None if self.finished_us is None else to_datetime(self.finished_us)


def begin(tx: Connection, worker_id: str, *, limit: int, now_us: int) -> list[DueCommand]:
    """Mark the next commands as begun by a worker, which may run them once this is committed."""
    due = []
    for row in tx.execute(statements.DUE, {"limit": limit}).all():
        complete(row, ("on_end",))
        origin = parsed(row.submitted_by or "{}", dict)
        folder = origin.get("folder")
        command = DueCommand(
            job_seq=row.job_seq,
            job_id=row.job_id,
            command=row.on_end,
            status=Status(row.status),
            reason=None if row.reason is None else Reason(row.reason),
            name=row.name,
            folder=folder if isinstance(folder, str) else None,
        )
        begun = {"of_job": row.job_seq, "by_worker": worker_id, "now_us": now_us}
        if tx.execute(statements.BEGIN, begun).rowcount == 1:
            due.append(command)
    return due


def finish(tx: Connection, worker_id: str, finished: Iterable[Finished]) -> None:
    """Write down what came of commands that this worker began; of jobs that are deleted nothing is kept."""
    for item in finished:
        ended = {"of_job": item.job_seq, "by_worker": worker_id, "ended_us": item.at_us, "what_came": item.outcome}
        tx.execute(statements.FINISH, ended)


def give_up_lost(tx: Connection, *, now_us: int) -> list[str]:
    """Finish what workers had begun that are no more, without running it again; give the ids of the jobs.

    The caller holds the worker's lock and has begun none himself.
    """
    lost = tx.execute(statements.UNFINISHED).all()
    for row in lost:
        tx.execute(statements.GIVE_UP, {"of_job": row.job_seq, "now_us": now_us, "what_came": LOST})
    return [row.job_id for row in lost]


def leave_with_original(tx: Connection, *, now_us: int) -> None:
    """Finish all that is due or begun in a store that is a copy: the original runs it, and nobody runs it twice."""
    for row in tx.execute(statements.UNFINISHED).all():
        tx.execute(statements.GIVE_UP, {"of_job": row.job_seq, "now_us": now_us, "what_came": _STAYED_BEGUN})
    tx.execute(statements.GIVE_UP_DUE, {"now_us": now_us, "what_came": _STAYED_DUE})


def of_job(tx: Connection, job_seq: int) -> EndCommandRecord | None:
    """Give what is known of a job's command; None where it has none or has not ended."""
    row = tx.execute(statements.OF_JOB, {"of_job": job_seq}).one_or_none()
    return None if row is None else EndCommandRecord(*row)
