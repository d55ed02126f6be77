"""What workers write of themselves: that they live, what they started, that somebody wants them to stop."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import fields

from sqlalchemy import Connection, Row, insert, select, update

from aerjob_cli.store.columns import RowDamaged, complete, parsed
from aerjob_cli.store.records import ProcessIdentity, WorkerRecord
from aerjob_cli.store.tables import workers

_COLUMNS = [workers.c[field.name] for field in fields(WorkerRecord)]
_NEEDED = [column.name for column in _COLUMNS if not column.nullable]
_ALIVE = select(*_COLUMNS).where(workers.c.ended_us.is_(None)).order_by(workers.c.started_us.desc())


def register(tx: Connection, worker: WorkerRecord) -> None:
    """Write down a worker that has just begun."""
    values = {field.name: getattr(worker, field.name) for field in fields(worker)}
    tx.execute(insert(workers).values(values | {"children": _children_text(worker.children)}))


def beat(tx: Connection, worker_id: str, *, now_us: int, monotonic_s: float) -> bool:
    """Renew the lease; return False when another worker has ended this one's."""
    statement = (
        update(workers)
        .where(workers.c.worker_id == worker_id, workers.c.ended_us.is_(None))
        .values(heartbeat_us=now_us, heartbeat_monotonic_s=monotonic_s)
    )
    return tx.execute(statement).rowcount == 1


def note_children(
    tx: Connection, worker_id: str, children: Sequence[ProcessIdentity], *, qiskit_version: str, aer_version: str
) -> None:
    """Write down which processes the worker has started, and what they run."""
    tx.execute(
        update(workers)
        .where(workers.c.worker_id == worker_id)
        .values(children=_children_text(children), qiskit_version=qiskit_version, aer_version=aer_version)
    )


def alive(tx: Connection) -> list[WorkerRecord]:
    """Give the workers that have not written their end, the latest first; the dead among them could not."""
    return [_record(row) for row in tx.execute(_ALIVE)]


def known(tx: Connection, worker_ids: Collection[str]) -> list[WorkerRecord]:
    """Give those of the workers that have ever been registered."""
    query = select(*_COLUMNS).where(workers.c.worker_id.in_(sorted(worker_ids)))
    return [_record(row) for row in tx.execute(query)]


def request_drain(tx: Connection, worker_id: str, *, now_us: int) -> bool:
    """Ask a worker to take no more jobs and to stop; return whether nobody had asked before."""
    statement = (
        update(workers)
        .where(workers.c.worker_id == worker_id, workers.c.drain_requested_us.is_(None))
        .values(drain_requested_us=now_us)
    )
    return tx.execute(statement).rowcount == 1


def is_drain_requested(tx: Connection, worker_id: str) -> bool:
    """Tell whether somebody asked this worker to stop."""
    query = select(workers.c.drain_requested_us).where(workers.c.worker_id == worker_id)
    return tx.execute(query).scalar() is not None


def close(tx: Connection, worker_id: str, *, end: str, now_us: int) -> None:
    """Write down that a worker is no more, and how it ended."""
    tx.execute(
        update(workers)
        .where(workers.c.worker_id == worker_id, workers.c.ended_us.is_(None))
        .values(ended_us=now_us, end=end)
    )


def end_of(tx: Connection, pid: int, *, since_us: int) -> str | None:
    """Say how the worker of that pid that was started since then ended; None where it has not said so."""
    query = select(workers.c.end).where(workers.c.pid == pid, workers.c.started_us >= since_us).limit(1)
    return tx.execute(query).scalar()


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
