"""Connections to a database file: which library, which pragmas, how transactions begin."""

from __future__ import annotations

import math
import time
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from aerjob_cli.errors import StoreUnusable
from aerjob_cli.store import forks
from aerjob_cli.store.dbapi import sqlite_library

# How a file is opened (https://sqlite.org/uri.html): both refuse to make one. An immutable file is read without
# locks and without its log, which is all that a read-only file system allows.
READ_AND_WRITE = "mode=rw"
IMMUTABLE = "mode=ro&immutable=1"
# Longer than this no signal goes unheeded.
_DEAF_AT_MOST_S = 0.1
# https://sqlite.org/rescode.html: BUSY, and BUSY_RECOVERY while another process reads a log that was left behind.
_BUSY = (5, 261)


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
        # As many as there are threads: where they wait for each other, SQLite says for how long.
        max_overflow=-1,
        # The one that was used last knows the statements, and the pages that they need.
        pool_use_lifo=True,
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        raw: Any = connection.connection.dbapi_connection
        if connection.get_execution_options().get("aerjob_writes", False):
            _begin_to_write(raw, busy_timeout_s)
        else:
            raw.execute("BEGIN")

    return engine


def raw_connection(path: Path, *, busy_timeout_s: float, access: str = READ_AND_WRITE) -> Any:
    """Connect to an existing database with the pragmas that every connection of ours has."""
    forks.require_none_carried()
    library = sqlite_library()
    connection = library.module.connect(
        f"file:{quote(str(path))}?{access}",
        factory=_connection_class(library.module),
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
    )
    forks.note_connection(connection)
    try:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA trusted_schema=OFF")
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        connection.execute(f"PRAGMA synchronous={library.synchronous(mode)}")
    except BaseException:
        # The error's traceback would keep it open.
        connection.close()
        raise
    return connection


def _begin_to_write(connection: Any, busy_timeout_s: float) -> None:
    """Begin as the only writer, and wait for another one in short pieces: meanwhile Python heeds no signal."""
    deadline_s = time.monotonic() + busy_timeout_s
    try:
        while True:
            left_s = max(0.0, deadline_s - time.monotonic())
            _set_busy_timeout(connection, min(left_s, _DEAF_AT_MOST_S))
            try:
                connection.execute("BEGIN IMMEDIATE")
            except connection.OperationalError as error:
                if left_s == 0 or getattr(error, "sqlite_errorcode", None) not in _BUSY:
                    raise
            else:
                return
    finally:
        _set_busy_timeout(connection, busy_timeout_s)


def _set_busy_timeout(connection: Any, timeout_s: float) -> None:
    connection.execute(f"PRAGMA busy_timeout={math.ceil(timeout_s * 1000)}")


@cache
def _connection_class(module: ModuleType) -> type[Any]:
    """Make the class of our connections.

    Unlike the library's own they can be referred to weakly; and in a process into which one was carried by a fork it
    does nothing at all, not even end its transaction, which is the parent's.
    """

    class GuardedConnection(module.Connection):  # type: ignore[name-defined,misc]
        def cursor(self, *arguments: Any, **options: Any) -> Any:
            forks.require_none_carried()
            return super().cursor(*arguments, **options)

        def execute(self, *arguments: Any) -> Any:
            forks.require_none_carried()
            return super().execute(*arguments)

        def commit(self) -> None:
            forks.require_none_carried()
            super().commit()

        def rollback(self) -> None:
            if not forks.has_carried():
                super().rollback()

        def close(self) -> None:
            if not forks.has_carried():
                super().close()

    return GuardedConnection


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
