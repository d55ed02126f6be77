"""Connections to a database file: which library, which pragmas, how transactions begin."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from aerjob_cli.errors import StoreUnusable
from aerjob_cli.store.dbapi import sqlite_library

# How a file is opened (https://sqlite.org/uri.html): both refuse to make one. An immutable file is read without
# locks and without its log, which is all that a read-only file system allows.
READ_AND_WRITE = "mode=rw"
IMMUTABLE = "mode=ro&immutable=1"


def engine_for(path: Path, *, busy_timeout_s: float, access: str = READ_AND_WRITE) -> Engine:
    """Make an engine whose transactions are ours: IMMEDIATE for writers, plain BEGIN for readers.

    With the DB-API's own transactions a leading SELECT would stand outside the transaction, and a deferred BEGIN
    fails at once when two writers meet (https://docs.sqlalchemy.org/en/20/dialects/sqlite.html, "pysqlite").
    """
    engine = create_engine(
        "sqlite://",
        module=sqlite_library().module,
        creator=lambda: raw_connection(path, busy_timeout_s=busy_timeout_s, access=access),
        poolclass=QueuePool,
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("aerjob_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def raw_connection(path: Path, *, busy_timeout_s: float, access: str = READ_AND_WRITE) -> Any:
    """Connect to an existing database with the pragmas that every connection of ours has."""
    library = sqlite_library()
    connection = library.module.connect(
        f"file:{quote(str(path))}?{access}",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA trusted_schema=OFF")
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    connection.execute(f"PRAGMA synchronous={library.synchronous(mode)}")
    return connection


def set_journal_mode(path: Path, mode: str) -> str:
    """Ask for a journal mode, which the file remembers; return the one it has then."""
    connection = raw_connection(path, busy_timeout_s=0)
    try:
        return str(connection.execute(f"PRAGMA journal_mode={mode}").fetchone()[0])
    finally:
        # The last connection to close a WAL database empties its log and removes it.
        connection.close()


def leave_wal(path: Path) -> None:
    """Give a database, which a later SQLite has put in WAL mode, a journal that the one at hand handles rightly.

    Raises ``StoreUnusable`` while others use it in that mode.
    """
    if set_journal_mode(path, "delete") != "delete":
        raise StoreUnusable(
            path,
            "is in use in a mode that this SQLite handles wrongly",
            "stop the worker (`aerjob worker stop`) and repeat the command, or install pysqlite3",
        )
