"""Making the copy of a store one of its own: with an identity, without a worker, and with no job in anybody's hands.

Otherwise a worker of the copy would take the rows of the original's worker for those of a lost one of its own, end
the processes that they name, and charge each job an attempt.
"""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path

from sqlalchemy import Connection, null, select, update

from aerjob_cli.states import Status
from aerjob_cli.store import end_commands, lifecycle
from aerjob_cli.store.connections import set_journal_mode
from aerjob_cli.store.copying import leave_wal_alone
from aerjob_cli.store.dbapi import sqlite_library
from aerjob_cli.store.engines import engine_for
from aerjob_cli.store.records import Claim
from aerjob_cli.store.tables import jobs, store_identity, workers
from aerjob_cli.version import __version__

_WHY = "this store is a copy, made while the job ran"


def make_independent(database: Path, *, now_us: int) -> None:
    """Let the copied database go from its original; nobody else has it open yet. Raises SQLite's errors."""
    leave_wal_alone(database)
    engine = engine_for(database, busy_timeout_s=0)
    try:
        with engine.connect().execution_options(aerjob_writes=True) as connection, connection.begin():
            _name_anew(connection)
            _forget_workers(connection, now_us=now_us)
            _put_back(connection, now_us=now_us)
            end_commands.leave_with_original(connection, now_us=now_us)
    finally:
        engine.dispose()
    if sqlite_library().has_sound_wal:
        # A file system without shared memory, as on another host's disk, has to do with the rollback journal.
        with contextlib.suppress(sqlite_library().module.Error):
            set_journal_mode(database, "wal")


def _name_anew(tx: Connection) -> None:
    original = tx.execute(select(store_identity.c.store_uuid)).scalar_one()
    made_by = f"aerjob {__version__}, from the store {original}"
    tx.execute(update(store_identity).values(store_uuid=str(uuid.uuid4()), created_by=made_by))


def _forget_workers(tx: Connection, *, now_us: int) -> None:
    alive = workers.c.ended_us.is_(None)
    tx.execute(update(workers).where(alive).values(ended_us=now_us, end="stayed with the original", children="[]"))


def _put_back(tx: Connection, *, now_us: int) -> None:
    query = select(
        jobs.c.seq,
        jobs.c.job_id,
        jobs.c.status,
        jobs.c.attempt,
        jobs.c.claim_token,
        jobs.c.worker_id,
        jobs.c.cancel_requested_us,
    ).where(jobs.c.finished_us.is_(None), jobs.c.status.in_((Status.VALIDATING, Status.RUNNING)))
    for row in tx.execute(query).all():
        held = Claim(row.seq, row.job_id, Status(row.status), row.attempt, row.claim_token, row.worker_id)
        if row.cancel_requested_us is not None:
            lifecycle.cancel_held(tx, held, now_us=now_us)
        elif held.status is Status.VALIDATING:
            lifecycle.return_validation(tx, held, message=None, now_us=now_us)
        else:
            lifecycle.give_back(tx, held, why=_WHY, now_us=now_us)
    nobody = {"executor_pid": null(), "executor_started": null()}
    tx.execute(update(jobs).where(jobs.c.finished_us.is_(None), jobs.c.executor_pid.is_not(None)).values(nobody))
