"""Giving the room of what was removed back to the file system: the database is written anew, without its free pages.

Nobody else can write meanwhile, and it takes about a second for each 100 MB. A worker whose heart does not beat for
longer than its lease is taken for dead, so a large database is left alone while one is alive.
"""

from __future__ import annotations

import contextlib
from typing import Any

from aerjob_cli.frozen import dataclass
from aerjob_cli.store import forks, workers
from aerjob_cli.store.connections import raw_connection
from aerjob_cli.store.database import Store

# Less than this is soon filled again, and not worth writing everything anew.
_WORTH_BYTES = 2**20
_WORTH_SHARE = 0.1
_PAGES = ("PRAGMA page_size", "PRAGMA page_count", "PRAGMA freelist_count")
_BESIDE_A_WORKER_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Compaction:
    """How much smaller the database is, and how much of it is free still because a worker is alive; in bytes."""

    freed_bytes: int = 0
    left_bytes: int = 0


def compact(store: Store) -> Compaction:
    """Write the database anew where that is worth it; raises ``StoreUnusable``, with the database as it was."""
    with store.reading_directly() as tx:
        has_worker = bool(workers.alive(tx))
    with store.told(), forks.none(), contextlib.closing(_connection(store)) as connection:
        page_bytes, pages, free = (int(connection.execute(asked).fetchone()[0]) for asked in _PAGES)
        free_bytes, used_bytes = free * page_bytes, (pages - free) * page_bytes
        if free_bytes < max(_WORTH_BYTES, _WORTH_SHARE * pages * page_bytes):
            return Compaction()
        if has_worker and used_bytes > _BESIDE_A_WORKER_BYTES:
            return Compaction(left_bytes=free_bytes)
        before_bytes = size_on_disk(store)
        connection.execute("VACUUM")
        # What was written is in the log, and the file as large as before, until the log is taken over.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Compaction(freed_bytes=max(0, before_bytes - size_on_disk(store)))


def size_on_disk(store: Store) -> int:
    """Give how many bytes the database takes, with its log."""
    size_bytes = 0
    for path in (store.paths.database, store.paths.database.with_name(f"{store.paths.database.name}-wal")):
        with contextlib.suppress(FileNotFoundError):
            size_bytes += path.stat().st_size
    return size_bytes


def _connection(store: Store) -> Any:
    store.require_present()
    return raw_connection(store.paths.database, busy_timeout_s=store.busy_timeout_s)
