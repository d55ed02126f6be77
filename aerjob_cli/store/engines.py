"""SQLAlchemy's way to a database: engines whose transactions are ours, IMMEDIATE for writers, plain BEGIN for readers.

With the DB-API's own transactions a leading SELECT would stand outside the transaction, and a deferred BEGIN fails at
once when two writers meet (https://docs.sqlalchemy.org/en/20/dialects/sqlite.html, "pysqlite").
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from aerjob_cli.store.connections import READ_AND_WRITE, begin_to_write, raw_connection
from aerjob_cli.store.dbapi import sqlite_library

_LOG_NAME = "aerjob"
logging.getLogger(f"{QueuePool.__module__}.{QueuePool.__qualname__}.{_LOG_NAME}").addHandler(logging.NullHandler())


def engine_for(
    path: Path, *, busy_timeout_s: float, access: str = READ_AND_WRITE, connect: Callable[[], Any] | None = None
) -> Engine:
    """Make an engine for a database, on connections of its own or those that ``connect`` gives."""
    engine = create_engine(
        "sqlite://",
        module=sqlite_library().module,
        # Where a signal came while it tidied up, it tells where. That is for whoever listens, and not for a terminal.
        pool_logging_name=_LOG_NAME,
        creator=connect or (lambda: raw_connection(path, busy_timeout_s=busy_timeout_s, access=access)),
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
            begin_to_write(raw, busy_timeout_s)
        else:
            raw.execute("BEGIN")

    return engine
