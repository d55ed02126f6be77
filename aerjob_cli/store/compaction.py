"""Giving the room of what was removed back to the file system: the database is written anew, without its free pages.

Nobody else can write meanwhile, and it takes about a second for each 100 MB. A worker whose heart does not beat for
longer than its lease is taken for dead, so a large database is left alone while one is alive.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

from aerjob_cli.frozen import dataclass
from aerjob_cli.store import forks, workers
from aerjob_cli.store.connections import raw_connection
from aerjob_cli.store.database import Store

# Less than this is soon filled again, and not worth writing everything anew.
_WORTH_BYTES = 2**20
_WORTH_SHARE = 0.1
_TRIES, _BETWEEN_TRIES_S = 20, 0.1
_PAGES = ("PRAGMA page_size", "PRAGMA page_count", "PRAGMA freelist_count")
_BESIDE_A_WORKER_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Compaction:
    """How much smaller the database is, how much of it stays free because a worker is alive, and whether it is over.

    In bytes. It is not over while somebody reads what was there before.
    """

    freed_bytes: int = 0
    left_bytes: int = 0
    is_over: bool = True


def compact(store: Store) -> Compaction:
    """Write the database anew where that is worth it; raises ``StoreUnusable``, with the database as it was."""
    with store.reading_directly() as tx:
        has_worker = bool(workers.alive(tx))
    with store.told(), forks.none(), contextlib.closing(_connection(store)) as connection:
        page_bytes, pages, free = (int(connection.execute(asked).fetchone()[0]) for asked in _PAGES)
        free_bytes, used_bytes = free * page_bytes, (pages - free) * page_bytes
        if free_bytes < max(_WORTH_BYTES, _WORTH_SHARE * pages * page_bytes):
            return Compaction(is_over=_take_over_log(connection))
        if has_worker and used_bytes > _BESIDE_A_WORKER_BYTES:
            return Compaction(left_bytes=free_bytes, is_over=_take_over_log(connection))
        connection.execute("VACUUM")
        left_pages = int(connection.execute(_PAGES[1]).fetchone()[0])
        return Compaction(freed_bytes=(pages - left_pages) * page_bytes, is_over=_take_over_log(connection))


def _take_over_log(connection: Any) -> bool:
    """Bring what is in the log into the database, whose file has its new size then; tell whether all of it is.

    A try keeps others from writing for as long as it waits for those who read, so none of them waits.
    """
    connection.execute("PRAGMA busy_timeout=0")
    for _ in range(_TRIES):
        is_busy, frames, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        # A database without a log has none to take over.
        if not is_busy or frames < 0:
            return True
        time.sleep(_BETWEEN_TRIES_S)
    return False


def _connection(store: Store) -> Any:
    store.require_present()
    return raw_connection(store.paths.database, busy_timeout_s=store.busy_timeout_s)
