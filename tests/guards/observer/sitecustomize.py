"""What Python imports first in a process that is observed: it counts statements of SQLite, and modules at the end.

Where to count comes in the environment. What triggers do is not counted.
"""

from __future__ import annotations

import atexit
import os
import sys
from typing import Any


def count_statements(path: str) -> None:
    """Have each connection that is made from now on add a byte to a file for each statement.

    So the count can be read at any time, whatever becomes of the process.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def count(text: str) -> None:
        # The statements of a trigger are told as comments.
        if not text.startswith("--"):
            os.write(file, b".")

    for library in libraries():
        connect = library.connect

        def observed(*arguments: Any, connect: Any = connect, **options: Any) -> Any:
            connection = connect(*arguments, **options)
            connection.set_trace_callback(count)
            return connection

        library.connect = observed


def libraries() -> list[Any]:
    """Give the modules that a connection may be asked of."""
    import sqlite3

    found: list[Any] = [sqlite3, sqlite3.dbapi2]
    try:
        import pysqlite3
    except ImportError:
        return found
    return [*found, pysqlite3, pysqlite3.dbapi2]


def _count_modules(path: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(str(len(sys.modules)))


# Not in a worker's template and its executors, which have no database.
if "AERJOB_TEST_STATEMENTS" in os.environ and "aerjob_cli.worker" in sys.orig_argv:
    count_statements(os.environ["AERJOB_TEST_STATEMENTS"])
if "AERJOB_TEST_MODULES" in os.environ:
    atexit.register(_count_modules, os.environ["AERJOB_TEST_MODULES"])
