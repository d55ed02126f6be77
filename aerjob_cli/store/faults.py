"""From SQLite's and the system's errors to sentences: one map, so that no command needs its own."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aerjob_cli.errors import (
    AerjobError,
    StoreBusy,
    StoreDamaged,
    StoreFailing,
    StoreFull,
    StoreReadOnly,
    StoreReplaced,
    StoreUnusable,
)
from aerjob_cli.store.dbapi import library_error, sqlite_library
from aerjob_cli.store.values import RowDamaged

# Primary result codes, https://sqlite.org/rescode.html
_PRIMARY_MASK = 0xFF
_LOCKED = {5, 6, 15}  # BUSY, LOCKED, PROTOCOL
_CANNOT_OPEN = 14  # the database, or its log, which may have to be made
_UNWRITABLE = {3, 8, _CANNOT_OPEN}  # PERM, READONLY, CANTOPEN
_FULL = {13}
_DAMAGED = {2, 11, 18, 20, 24, 26}  # INTERNAL, CORRUPT, TOOBIG, MISMATCH, FORMAT, NOTADB
_UNFIT = {1}  # ERROR: statements that are ours do not fit the schema, which is damaged; or they are wrong
_IO_ERROR = {10}
_CONSTRAINT = {19}  # no statement of aerjob's offends one in a sound store

# An online backup with `pysqlite3` fails without a code, but with the text that SQLite has for it (sqlite3_errstr).
_CODES_BY_TEXT = {
    "attempt to write a readonly database": 8,
    "disk I/O error": 10,
    "database disk image is malformed": 11,
    "database or disk is full": 13,
    "file is not a database": 26,
}

# What SQLite makes beside a database before it can be read (https://sqlite.org/walformat.html, "The WAL-Index File").
_NEEDED_TO_READ_BYTES = 32 * 1024

_RESTORE = "restore it from a backup, or move it away and start a new one"


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn the storage errors of the block into ``StoreUnusable``s that name ``path``."""
    try:
        yield
    except (RowDamaged, UnicodeDecodeError) as error:
        # The latter is what the DB-API makes of a message that quotes a damaged name.
        raise StoreDamaged(path, f"is damaged ({error})", _RESTORE) from error
    except OSError as error:
        raise of_system(path, error) from error
    except Exception as error:
        own = library_error(error)
        if own is None:
            raise
        sentence = _of_sqlite(path, own)
        if sentence is None:
            raise
        raise sentence from error


def of_system(path: Path, error: OSError) -> AerjobError:
    """Say what an ``OSError`` means for the store at ``path``."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full(path)
    if error.errno == errno.EIO:
        return StoreFailing(path, f"could not be read or written ({error.strerror})", "check the disk it is on")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return StoreReadOnly(path, "cannot be written", "check the permissions of the folder, or set AERJOB_HOME")
    if error.errno == errno.ELOOP:
        where = error.filename if isinstance(error.filename, str) else path
        return StoreUnusable(where, "is a symbolic link that is not followed", "remove it and repeat the command")
    if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        return StoreUnusable(path, f"is not a folder ({error.strerror})", "set AERJOB_HOME to a folder of your own")
    return StoreUnusable(path, f"met an error of the system ({error.strerror})", "see `aerjob worker logs`")


def _full(path: Path) -> StoreFull:
    return StoreFull(path, "has no room left on its disk", "free some space and repeat the command")


def _unfit(path: Path, error: BaseException | None) -> StoreDamaged:
    remedy = "run `aerjob store check`: it tells what of the store is damaged, or else this is a bug in aerjob"
    return StoreDamaged(path, f"is not as it should be ({error})", remedy)


def _has_room(path: Path) -> bool:
    try:
        found = os.statvfs(path.parent)
    except OSError:
        return True
    return found.f_bavail * found.f_frsize >= _NEEDED_TO_READ_BYTES


def _of_sqlite(path: Path, error: BaseException | None) -> AerjobError | None:
    code = getattr(error, "sqlite_errorcode", None) or _CODES_BY_TEXT.get(str(error))
    if code is None:
        # A text that is no UTF-8, for which the DB-API has no code. Its own misuse is another class.
        is_stored = isinstance(error, sqlite_library().module.OperationalError)
        return _unfit(path, error) if is_stored else None
    primary = code & _PRIMARY_MASK
    if primary in _LOCKED:
        return StoreBusy(path, "is locked by another process", "repeat the command in a moment")
    if primary in _UNWRITABLE:
        if not path.exists():
            return StoreReplaced(path, "is no longer there", "nothing was changed; see AERJOB_HOME")
        if primary == _CANNOT_OPEN and not _has_room(path):
            return _full(path)
        return StoreReadOnly(path, "cannot be written", "check the permissions of the folder, or set AERJOB_HOME")
    if primary in _FULL:
        return _full(path)
    if primary in _DAMAGED:
        return StoreDamaged(path, f"is damaged ({error})", _RESTORE)
    if primary in _UNFIT:
        return _unfit(path, error)
    if primary in _CONSTRAINT:
        fact = f"refuses a change that should be possible ({error})"
        return StoreDamaged(path, fact, "see what `aerjob store check` finds")
    if primary in _IO_ERROR:
        if not _has_room(path):
            # SQLite says so of the memory that its readers share, which is a file as well.
            return _full(path)
        return StoreFailing(path, f"could not be read or written ({error})", "check the disk it is on")
    return None
