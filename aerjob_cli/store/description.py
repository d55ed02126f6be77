"""What a store is and how much is in it, told without reading what is in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select, text

from aerjob_cli.states import Status
from aerjob_cli.store.database import Store
from aerjob_cli.store.dbapi import sqlite_library
from aerjob_cli.store.inventory import draft_files, object_files
from aerjob_cli.store.jobs import count_pending
from aerjob_cli.store.overview import count_ended
from aerjob_cli.store.revisions import HEAD
from aerjob_cli.store.tables import jobs, store_identity


@dataclass(frozen=True)
class Description:
    """A store at one instant. Sizes are in bytes, on the disk."""

    path: Path
    uuid: str
    schema: str
    created_us: int
    created_by: str
    journal_mode: str
    sqlite_library: str
    sqlite_version: str
    database_bytes: int
    wal_bytes: int
    objects: int
    objects_bytes: int
    log_bytes: int
    jobs: dict[Status, int]
    experiments: int

    @property
    def total_bytes(self) -> int:
        return self.database_bytes + self.wal_bytes + self.objects_bytes + self.log_bytes


def describe(store: Store) -> Description:
    """Describe an open store."""
    library = sqlite_library()
    database = store.paths.database
    objects = [*object_files(store.paths), *draft_files(store.paths)]
    with store.reading() as tx:
        identity = tx.execute(select(store_identity)).one()
        by_status, experiments = _counts(tx)
        mode = str(tx.execute(text("PRAGMA journal_mode")).scalar())
        # Looked at while the database is open: its log goes with the last one who closes it.
        wal_bytes = _size([database.with_name(f"{database.name}-wal")])
    return Description(
        path=store.paths.home,
        uuid=store.uuid,
        schema=HEAD,
        created_us=identity.created_us,
        created_by=identity.created_by,
        journal_mode=mode,
        sqlite_library=library.module.__name__.partition(".")[0],
        sqlite_version=".".join(map(str, library.version)),
        database_bytes=_size([database]),
        wal_bytes=wal_bytes,
        objects=sum(file.sha256 is not None for file in objects),
        objects_bytes=sum(file.size_bytes for file in objects),
        log_bytes=_size(store.paths.home.glob("*.log*")),
        jobs=by_status,
        experiments=experiments,
    )


def _counts(tx: Connection) -> tuple[dict[Status, int], int]:
    found = count_pending(tx) | count_ended(tx)
    experiments = tx.execute(select(func.coalesce(func.sum(jobs.c.experiments_done), 0))).scalar_one()
    return {status: found.get(status, 0) for status in Status}, int(experiments)


def _size(paths: Iterable[Path]) -> int:
    size_bytes = 0
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            size_bytes += path.stat().st_size
    return size_bytes
