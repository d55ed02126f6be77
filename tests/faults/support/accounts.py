"""What a store tells of its jobs, without ids and times: the same of two stores to which the same was done."""

from __future__ import annotations

import os
from contextlib import closing
from typing import Any

from aerjob_cli.settings import StorePaths
from aerjob_cli.store.connections import raw_connection
from aerjob_cli.store.copying import faults
from aerjob_cli.store.inspection import inspect_store

_BUSY_TIMEOUT_S = 60.0

# Of each table, what is the same in both.
_QUERIES = {
    "job": "SELECT status, reason, message, name, idempotency_key, attempt, attempts_charged, experiments_done, "
    "experiments_total, cancel_requested_us IS NULL, cancel_message, retry_of IS NULL, finished_us IS NULL, "
    "claim_token IS NULL FROM jobs WHERE seq = ?",
    "tags": "SELECT tag FROM job_tags WHERE job_seq = ? ORDER BY tag",
    "payloads": "SELECT position, format, sha256, data FROM payloads WHERE job_seq = ? ORDER BY position",
    "results": "SELECT position, attempt, sha256, data FROM experiments WHERE job_seq = ? ORDER BY position",
    "arrays": "SELECT position, name, sha256, data FROM experiment_arrays WHERE job_seq = ? ORDER BY position, name",
    "events": "SELECT from_status, to_status, attempt, why FROM events WHERE job_seq = ? ORDER BY seq",
}

Account = list[dict[str, list[tuple[Any, ...]]]]


def account_of(paths: StorePaths) -> Account:
    """Tell of each job in its order, as somebody reads it who opens the store now; nothing where no store is."""
    if not os.path.lexists(paths.database):
        return []
    with closing(raw_connection(paths.database, busy_timeout_s=_BUSY_TIMEOUT_S)) as connection:
        seqs = [row[0] for row in connection.execute("SELECT seq FROM jobs ORDER BY seq")]
        return [
            {about: connection.execute(query, (seq,)).fetchall() for about, query in _QUERIES.items()} for seq in seqs
        ]


def unsound(paths: StorePaths) -> list[str]:
    """Say what is wrong with a store of the latest schema, down to each checksum; nothing where no store is."""
    if not os.path.lexists(paths.database):
        return []
    return [problem.message for problem in inspect_store(paths).problems]


def unsound_database(paths: StorePaths) -> list[str]:
    """Say what SQLite finds wrong in a database of any schema."""
    with closing(raw_connection(paths.database, busy_timeout_s=_BUSY_TIMEOUT_S)) as connection:
        return faults(connection)
