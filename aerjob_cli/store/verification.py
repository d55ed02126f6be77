"""Verifying what is stored against the checksums that were stored with it, in small transactions beside a worker."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, select, tuple_

from aerjob_cli.settings import StorePaths
from aerjob_cli.store.inventory import TABLES_WITH_BYTES, is_sha256, referenced
from aerjob_cli.store.objects import object_path, open_object
from aerjob_cli.store.tables import jobs

# Opens a read transaction; a long one would keep the database's log from being cleared.
Reading = Callable[[], AbstractContextManager[Connection]]
# Told how many circuits, results and arrays have been verified.
OnChecked = Callable[[int], None]

# Each row can have 256 KiB with it.
_ROWS_AT_ONCE = 50
_BLOCK_BYTES = 1 << 20

# What the rows of each table are called in sentences.
_CALLED = {
    "payloads": "the circuits {position} ({name!r})",
    "experiments": "the result of experiment {position} ({name!r})",
    "experiment_arrays": "the array {name!r} of experiment {position}",
}
# In which order, and from where on, they are read.
_KEYS = {
    "payloads": ("payload_id",),
    "experiments": ("job_seq", "position"),
    "experiment_arrays": ("job_seq", "position", "name"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Bytes that are not what was stored: whose they are, and what about them."""

    job_id: str | None
    message: str
    is_missing: bool


@dataclass
class Verification:
    """Verifies one store; an object that many rows refer to is read once."""

    paths: StorePaths
    reading: Reading
    on_checked: OnChecked
    checked: dict[str, int] = field(default_factory=lambda: {table.name: 0 for table in TABLES_WITH_BYTES})
    _objects: dict[str, str | None] = field(default_factory=dict)

    def everything_of(self, table: Table) -> Iterator[Fault]:
        """Verify all rows of a table; raises what keeps them from being read."""
        last: tuple[Any, ...] | None = None
        while rows := self._next_rows(table, last):
            for row in rows:
                yield from self._faults(table, row, self._fault_of_bytes(row))
                self.checked[table.name] += 1
            self.on_checked(sum(self.checked.values()))
            last = tuple(getattr(rows[-1], f"key_{name}") for name in _KEYS[table.name])

    def files_of(self, table: Table) -> Iterator[Fault]:
        """See whether the object files are there that a table refers to, and as large as they should be."""
        with self.reading() as tx:
            # "data IS NULL" is what lets the small index of references answer.
            rows = tx.execute(_query(table).where(table.c.data.is_(None))).all()
        for row in rows:
            yield from self._faults(table, row, self._fault_of_file(row))

    def _next_rows(self, table: Table, last: tuple[Any, ...] | None) -> list[Row[Any]]:
        key = [table.c[name] for name in _KEYS[table.name]]
        query = _query(table).add_columns(table.c.data).order_by(*key).limit(_ROWS_AT_ONCE)
        if last is not None:
            query = query.where(key[0] > last[0] if len(key) == 1 else tuple_(*key) > tuple_(*last))
        with self.reading() as tx:
            return list(tx.execute(query).all())

    def _faults(self, table: Table, row: Row[Any], fault: str | None) -> Iterator[Fault]:
        is_missing = fault == _MISSING
        if fault is None or (is_missing and self._was_deleted(row.sha256)):
            return
        whose = "" if row.job_id is None else f" of job {row.job_id}"
        called = _CALLED[table.name].format(position=row.position, name=row.name)
        yield Fault(row.job_id, f"{called}{whose} {fault}", is_missing)

    def _was_deleted(self, sha256: str) -> bool:
        """Tell whether the file is gone because the rows are gone as well, since they were read."""
        with self.reading() as tx:
            return not referenced(tx, [sha256])

    def _fault_of_bytes(self, row: Row[Any]) -> str | None:
        if row.data is None:
            return self._fault_of_file(row) or self._fault_of_object(row.sha256)
        if not isinstance(row.data, bytes) or len(row.data) != row.size_bytes:
            return "does not have the size that was stored with it"
        return None if hashlib.sha256(row.data).hexdigest() == row.sha256 else _ALTERED

    def _fault_of_file(self, row: Row[Any]) -> str | None:
        if not isinstance(row.sha256, str) or not is_sha256(row.sha256):
            return "has a checksum that is none"
        place = object_path(self.paths, row.sha256)
        try:
            found = place.lstat()
        except FileNotFoundError:
            return _MISSING
        except OSError as error:
            return f"cannot be read ({error.strerror}): {self._named(row.sha256)}"
        if not stat.S_ISREG(found.st_mode):
            return f"is no regular file: {self._named(row.sha256)}"
        size_bytes = found.st_size
        if size_bytes != row.size_bytes:
            return f"has {size_bytes} bytes instead of {row.size_bytes}: {self._named(row.sha256)}"
        return None

    def _fault_of_object(self, sha256: str) -> str | None:
        if sha256 not in self._objects:
            self._objects[sha256] = self._read_object(sha256)
        return self._objects[sha256]

    def _read_object(self, sha256: str) -> str | None:
        digest = hashlib.sha256()
        try:
            with open(open_object(object_path(self.paths, sha256)), "rb", buffering=0) as file:
                while block := file.read(_BLOCK_BYTES):
                    digest.update(block)
        except FileNotFoundError:
            return _MISSING
        except OSError as error:
            return f"cannot be read ({error.strerror}): {self._named(sha256)}"
        return None if digest.hexdigest() == sha256 else f"{_ALTERED}: {self._named(sha256)}"

    def _named(self, sha256: str) -> str:
        return str(object_path(self.paths, sha256).relative_to(self.paths.home))


_MISSING = "is missing in the object folder"
_ALTERED = "does not have the checksum that was stored with it"


def _query(table: Table) -> Select[Any]:
    keys = [table.c[name].label(f"key_{name}") for name in _KEYS[table.name]]
    columns = (table.c.position, table.c.name, table.c.sha256, table.c.size_bytes)
    return select(jobs.c.job_id, *columns, *keys).select_from(table.outerjoin(jobs, jobs.c.seq == table.c.job_seq))
