"""Which SQLite library to use, and how durable writes are made with it.

SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode when a checkpoint meets a restart of the log
(https://sqlite.org/wal.html, "the WAL-reset bug"). Where only such a library is there, the store uses a rollback
journal, which is slower and safe.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from types import ModuleType

from aerjob_cli.frozen import dataclass

_FIRST_SOUND_WAL = (3, 51, 3)
# RETURNING came with 3.35; Python 3.11 can be built against less.
_OLDEST = (3, 35, 0)


@dataclass(frozen=True)
class SqliteLibrary:
    """A DB-API module and what its SQLite may be trusted with."""

    module: ModuleType
    version: tuple[int, ...]

    @property
    def has_sound_wal(self) -> bool:
        return self.version >= _FIRST_SOUND_WAL

    @property
    def is_recent_enough(self) -> bool:
        return self.version >= _OLDEST

    def synchronous(self, journal_mode: str) -> str:
        """Name the setting under which a commit has reached the disk when it returns."""
        return "FULL" if journal_mode == "wal" else "EXTRA"


@cache
def sqlite_library() -> SqliteLibrary:
    """Choose the later of `pysqlite3`'s SQLite and the one Python was built with."""
    builtin = SqliteLibrary(sqlite3, sqlite3.sqlite_version_info)
    try:
        import pysqlite3
    except ImportError:
        return builtin
    bundled = SqliteLibrary(pysqlite3, tuple(pysqlite3.sqlite_version_info))
    return max(builtin, bundled, key=lambda library: library.version)


def library_error(error: Exception) -> Exception | None:
    """Give the library's own error in one that came out of a transaction; None where it is none.

    SQLAlchemy wraps it, and need not be there to tell.
    """
    own = getattr(error, "orig", error)
    return own if isinstance(own, sqlite_library().module.Error) else None
