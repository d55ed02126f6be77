"""What workers write of themselves: that they live, what they started, that somebody wants them to stop."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import ProcessIdentity, WorkerRecord
from aerjob_cli.store.values import RowDamaged, complete, parsed

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from aerjob_cli.store.statements import workers as statements
else:
    statements = prepared("workers")

_NEEDED = tuple(field.name for field in fields(WorkerRecord) if "None" not in str(field.type))


def register(tx: Connection, worker: WorkerRecord) -> None:
    """Write down a worker that has just begun."""
    values = {field.name: getattr(worker, field.name) for field in fields(worker)}
    tx.execute(statements.INSERT_WORKER, [values | {"children": _children_text(worker.children)}])


def beat(tx: Connection, worker_id: str, *, now_us: int, monotonic_s: float) -> bool:
    """Renew the lease; return False when another worker has ended this one's."""
    now = {"of_worker": worker_id, "now_us": now_us, "monotonic_s": monotonic_s}
    return tx.execute(statements.BEAT, now).rowcount == 1


def note_children(
    tx: Connection, worker_id: str, children: Sequence[ProcessIdentity], *, qiskit_version: str, aer_version: str
) -> None:
    """Write down which processes the worker has started, and what they run."""
    told = {"started": _children_text(children), "qiskit": qiskit_version, "aer": aer_version}
    tx.execute(statements.NOTE_CHILDREN, {"of_worker": worker_id, **told})


def alive(tx: Connection) -> list[WorkerRecord]:
    """Give the workers that have not written their end, the latest first; the dead among them could not."""
    return [_record(row) for row in tx.execute(statements.ALIVE)]


def known(tx: Connection, worker_ids: Collection[str]) -> list[WorkerRecord]:
    """Give those of the workers that have ever been registered."""
    return [_record(row) for row in tx.execute(statements.KNOWN, {"worker_ids": sorted(worker_ids)})]


def request_drain(tx: Connection, worker_id: str, *, now_us: int) -> bool:
    """Ask a worker to take no more jobs and to stop; return whether nobody had asked before."""
    return tx.execute(statements.REQUEST_DRAIN, {"of_worker": worker_id, "now_us": now_us}).rowcount == 1


def is_drain_requested(tx: Connection, worker_id: str) -> bool:
    """Tell whether somebody asked this worker to stop."""
    return tx.execute(statements.DRAIN_REQUESTED, {"of_worker": worker_id}).scalar() is not None


def close(tx: Connection, worker_id: str, *, end: str, now_us: int) -> None:
    """Write down that a worker is no more, and how it ended."""
    tx.execute(statements.CLOSE, {"of_worker": worker_id, "now_us": now_us, "how": end})


def end_of(tx: Connection, pid: int, *, since_us: int) -> str | None:
    """Say how the worker of that pid that was started since then ended; None where it has not said so."""
    end: str | None = tx.execute(statements.END_OF, {"of_pid": pid, "since_us": since_us}).scalar()
    return end


def _children_text(children: Sequence[ProcessIdentity]) -> str:
    return json.dumps([[child.pid, child.started] for child in children])


def _record(row: Row[tuple[object, ...]]) -> WorkerRecord:
    complete(row, _NEEDED)
    values = dict(row._mapping)
    values["children"] = tuple(map(_identity, parsed(values["children"], list)))
    return WorkerRecord(**values)


def _identity(stored: object) -> ProcessIdentity:
    match stored:
        case [int(pid), str(started)]:
            return ProcessIdentity(pid, started)
        case _:
            raise RowDamaged(f"{stored!r} stands where a process belongs")
