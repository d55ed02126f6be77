"""What workers write of themselves, and what is asked of them."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import BindParameter, bindparam, insert, select, update

from aerjob_cli.store.records import WorkerRecord
from aerjob_cli.store.tables import workers

WORKER_COLUMNS = [workers.c[field.name] for field in fields(WorkerRecord)]

_OF_WORKER = workers.c.worker_id == bindparam("of_worker")
_HAS_NOT_ENDED = workers.c.ended_us.is_(None)
_NOW: BindParameter[int] = bindparam("now_us")

_ALL = select(*WORKER_COLUMNS)
ALIVE = _ALL.where(_HAS_NOT_ENDED).order_by(workers.c.started_us.desc())
KNOWN = _ALL.where(workers.c.worker_id.in_(bindparam("worker_ids", expanding=True)))
END_OF = (
    select(workers.c.end)
    .where(workers.c.pid == bindparam("of_pid"), workers.c.started_us >= bindparam("since_us"))
    .limit(1)
)
DRAIN_REQUESTED = select(workers.c.drain_requested_us).where(_OF_WORKER)

INSERT_WORKER = insert(workers)
BEAT = (
    update(workers)
    .where(_OF_WORKER, _HAS_NOT_ENDED)
    .values(heartbeat_us=_NOW, heartbeat_monotonic_s=bindparam("monotonic_s"))
)
NOTE_CHILDREN = (
    update(workers)
    .where(_OF_WORKER)
    .values(children=bindparam("started"), qiskit_version=bindparam("qiskit"), aer_version=bindparam("aer"))
)
REQUEST_DRAIN = (
    update(workers).where(_OF_WORKER, workers.c.drain_requested_us.is_(None)).values(drain_requested_us=_NOW)
)
CLOSE = update(workers).where(_OF_WORKER, _HAS_NOT_ENDED).values(ended_us=_NOW, end=bindparam("how"))
