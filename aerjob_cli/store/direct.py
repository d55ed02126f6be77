"""Transactions on SQLite's own library, for statements whose text is known.

They begin, end and fail as those of SQLAlchemy's connections do (``engines``), and what they read is checked as much.
A verb does not know on which of the two it works: of a connection it uses ``execute``, and of that what ``Rows`` has.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aerjob_cli.store.connections import begin_to_write, raw_connection
from aerjob_cli.store.prepared import Compiled, Prepared
from aerjob_cli.store.values import READERS, RowDamaged

if TYPE_CHECKING:
    from sqlalchemy import Executable

# Where the places of a list's values are to be put.
_LIST = re.compile(r"__\[POSTCOMPILE_(\w+)\]")

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class DirectConnections:
    """Connections to one database, as many as are in use at once; they are kept for those who come next."""

    def __init__(self, path: Path, *, busy_timeout_s: float) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._idle: list[Any] = []

    @contextlib.contextmanager
    def transaction(self, *, writes: bool, syncs: bool = True) -> Iterator[DirectConnection]:
        """Commit what the block does, or none of it; ``syncs`` is False where somebody else syncs the log."""
        raw = self.take()
        connection = DirectConnection(raw)
        try:
            if not syncs:
                raw.execute("PRAGMA synchronous=NORMAL")
            if writes:
                begin_to_write(raw, self._busy_timeout_s)
            else:
                raw.execute("BEGIN")
            yield connection
            connection.end_reading()
            raw.commit()
            if not syncs:
                raw.execute("PRAGMA synchronous=FULL")
        except BaseException:
            # Whatever it was, also a signal within the library: nobody works on with this one.
            with contextlib.suppress(raw.Error):
                connection.end_reading()
                raw.rollback()
            raw.close()
            raise
        self.give_back(raw)

    def take(self) -> Any:
        """Give a connection that nobody else uses."""
        with contextlib.suppress(IndexError):
            # The one that was used last has the pages that are needed.
            return self._idle.pop()
        return raw_connection(self._path, busy_timeout_s=self._busy_timeout_s)

    def give_back(self, raw: Any) -> None:
        """Keep a connection for the next who needs one."""
        self._idle.append(raw)

    def close_idle(self) -> None:
        """Close those that nobody uses."""
        with contextlib.suppress(IndexError):
            while True:
                self._idle.pop().close()


class DirectConnection:
    """What a verb gets to work with in a transaction."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._read: set[Any] = set()

    def execute(self, statement: Executable | Prepared, parameters: Parameters | None = None) -> Rows:
        """Execute a statement once, or for each of several sets of parameters."""
        text = statement.compiled if isinstance(statement, Prepared) else _compiled_now(statement)
        if parameters is None or isinstance(parameters, Mapping):
            return self._execute(text, parameters or {})
        if not text.columns:
            rows = [_filled(text, single)[1] for single in parameters]
            return Rows((), rowcount=self._raw.cursor().executemany(text.sql, rows).rowcount)
        return Rows([row for single in parameters for row in self._execute(text, single)], rowcount=len(parameters))

    def end_reading(self) -> None:
        """Close what was not read to its end; the connection would go on seeing the state of that time."""
        for cursor in self._read:
            cursor.close()

    def _execute(self, text: Compiled, given: Mapping[str, Any]) -> Rows:
        sql, values = _filled(text, given)
        cursor = self._raw.execute(sql, values)
        if cursor.description is None:
            return Rows((), rowcount=cursor.rowcount)
        columns = text.columns or [(name, None) for name, *_ in cursor.description]
        self._read.add(cursor)
        return Rows(self._rows(cursor, tuple((name, kind) for name, kind in columns)), rowcount=-1)

    def _rows(self, cursor: Any, columns: tuple[tuple[str, str | None], ...]) -> Iterator[Any]:
        make, readers = _row_class(columns), [None if kind is None else READERS[kind] for _, kind in columns]
        for values in cursor:
            yield make(value if read is None else read(value) for read, value in zip(readers, values, strict=True))
        cursor.close()
        self._read.discard(cursor)


class Rows:
    """What a statement gives, read as it is asked for."""

    def __init__(self, found: Iterable[Any], *, rowcount: int) -> None:
        self._found = iter(found)
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Any]:
        return self._found

    def all(self) -> list[Any]:
        return list(self._found)

    def first(self) -> Any:
        """Give the first one, None where there is none."""
        return next(self._found, None)

    def one_or_none(self) -> Any:
        """Give the only one, None where there is none."""
        found = self.all()
        if len(found) > 1:
            raise RowDamaged(f"{len(found)} rows stand where one belongs")
        return found[0] if found else None

    def one(self) -> Any:
        """Give the only one."""
        found = self.one_or_none()
        if found is None:
            raise RowDamaged("no row stands where one belongs")
        return found

    def scalars(self) -> Rows:
        """Give of each only its first value."""
        return Rows((row[0] for row in self._found), rowcount=self.rowcount)

    def scalar(self) -> Any:
        """Give the first value of the first one, None where there is none."""
        found = self.first()
        return None if found is None else found[0]

    def scalar_one(self) -> Any:
        """Give the first value of the only one."""
        return self.one()[0]

    def partitions(self, size: int) -> Iterator[list[Any]]:
        """Give them in lists of up to ``size``."""
        part: list[Any] = []
        for row in self._found:
            part.append(row)
            if len(part) == size:
                yield part
                part = []
        if part:
            yield part


def _compiled_now(statement: Executable) -> Compiled:
    from aerjob_cli.store.compiling import compiled

    return compiled(statement)


def _filled(text: Compiled, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Give a statement and all its values as the library takes them, with a place for each value of a list.

    The last value stands there more than once, up to a power of two: for a few lengths the library keeps what it has
    made of the text, for each length it would have to make it anew.
    """
    values = {**dict.fromkeys(text.inserted), **text.values, **given}
    if not text.lists:
        return text.sql, values
    names: dict[str, list[str]] = {}
    for name in text.lists:
        items = list(values.pop(name))
        items += items[-1:] * ((1 << (len(items) - 1).bit_length()) - len(items))
        names[name] = [f"{name}_{place}" for place in range(len(items))]
        values.update(zip(names[name], items, strict=True))
    return _LIST.sub(lambda found: ", ".join(f":{name}" for name in names[found[1]]), text.sql), values


@cache
def _row_class(columns: tuple[tuple[str, str | None], ...]) -> type[tuple[Any, ...]]:
    """Make the class of a statement's rows: tuples whose values also have the names of their columns."""
    names = [name for name, _ in columns]
    values = {name: property(itemgetter(place)) for place, name in enumerate(names)}
    return type("Row", (tuple,), {**values, "_mapping": property(lambda row: dict(zip(names, row, strict=True)))})
