"""A copy of the database as it is at one instant, made while others go on using it; and whether a database is sound."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aerjob_cli.store.connections import IMMUTABLE, raw_connection
from aerjob_cli.store.dbapi import sqlite_library
from aerjob_cli.store.folder import open_private, sync_file

# Called with the pages that are left and their total, several times a second.
OnPages = Callable[[int, int], None]

_PAGES_AT_ONCE = 2000  # 8 MB: between two such steps a signal is heeded
_BUSY_TIMEOUT_S = 60.0
# More than anybody reads; SQLite's own limit is 100.
_FAULTS_AT_MOST = 20


def copy_database(source: Path, target: Path, *, on_pages: OnPages | None = None) -> None:
    """Copy what was last committed into the new file ``target``, which is on the disk when this returns.

    SQLite's online backup does it, in one read transaction: writers are not held up (in a rollback journal they wait),
    and none of them makes it start again. Raises SQLite's errors and ``OSError``.
    """
    os.close(open_private(target, os.O_RDWR | os.O_CREAT | os.O_EXCL))
    target.chmod(0o600)
    reading = raw_connection(source, busy_timeout_s=_BUSY_TIMEOUT_S)
    try:
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        writing = sqlite_library().module.connect(f"file:{quote(str(target))}?mode=rw", uri=True, isolation_level=None)
        try:
            # Nobody knows this file yet: after a crash it is thrown away, so that it needs no journal of its own.
            writing.execute("PRAGMA journal_mode=OFF")
            writing.execute("PRAGMA synchronous=OFF")
            report = None if on_pages is None else lambda _status, left, total: on_pages(left, total)
            reading.backup(writing, pages=_PAGES_AT_ONCE, progress=report)
        finally:
            writing.close()
    finally:
        reading.close()
    sync_file(target)


def leave_wal_alone(path: Path) -> None:
    """Give a database that nobody else has open a rollback journal, without the shared memory that WAL mode needs.

    So it can lie on any file system.
    """
    connection = sqlite_library().module.connect(f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=DELETE")
    finally:
        connection.close()


def faults_of_file(path: Path) -> list[str]:
    """Give what SQLite finds wrong in a database that nobody else has open."""
    connection = raw_connection(path, busy_timeout_s=0, access=IMMUTABLE)
    try:
        return faults(connection)
    finally:
        connection.close()


def faults(connection: Any) -> list[str]:
    """Give what SQLite finds wrong, as the DB-API connection ``connection`` sees the database; nothing when sound."""
    found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_FAULTS_AT_MOST})")]
    found = [] if found == ["ok"] else found
    for number, (table, rowid, parent, _) in enumerate(connection.execute("PRAGMA foreign_key_check")):
        if number == _FAULTS_AT_MOST:
            break
        row = "a row" if rowid is None else f"row {rowid}"
        found.append(f"{row} of {table} refers to a row of {parent} that is not there")
    return found
