"""The open store: transactions that begin as they must, on a database that is checked to be ours and still there."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from aerjob_cli.clock import SYSTEM_CLOCK, Clock
from aerjob_cli.errors import StoreReplaced, StoreUnusable
from aerjob_cli.settings import StorePaths
from aerjob_cli.store import forks
from aerjob_cli.store.connections import leave_wal
from aerjob_cli.store.dbapi import sqlite_library
from aerjob_cli.store.direct import DirectConnections
from aerjob_cli.store.faults import told
from aerjob_cli.store.folder import is_unsettled, require_database
from aerjob_cli.store.identity import require_ours
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.syncing import sync_commits

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from aerjob_cli.store.statements import identity as statements
else:
    statements = prepared("identity")

# How long a client waits for other writers. 200 simultaneous submits on a slow disk need some of it.
CLIENT_BUSY_TIMEOUT_S = 60.0


class Store:
    """One open store. Verbs live in the modules beside this one and take the connection of a transaction."""

    def __init__(self, paths: StorePaths, *, clock: Clock, busy_timeout_s: float) -> None:
        self.paths = paths
        self.clock = clock
        self.busy_timeout_s = busy_timeout_s
        self._direct = DirectConnections(paths.database, busy_timeout_s=busy_timeout_s)
        self._engine: Engine | None = None
        self._making_engine = threading.Lock()
        forks.note_closable(self)
        self._file = _identity_of(paths.database)
        with self.told(), self._directly(writes=False) as tx:
            self.uuid = require_ours(tx, paths.database)
            journal_mode = str(tx.execute(statements.JOURNAL_MODE).scalar())
        with told(paths.database):
            sync_commits(paths.database, journal_mode)
        # A commit to a log can be made durable by itself, one to the database cannot.
        self._can_sync_later = journal_mode == "wal" and sqlite_library().has_sound_wal
        if journal_mode == "wal" and not sqlite_library().has_sound_wal:
            # The store was made with a later SQLite than the one at hand.
            self._direct.close_idle()
            with told(paths.database):
                leave_wal(paths.database)

    @classmethod
    def open(
        cls,
        paths: StorePaths,
        *,
        clock: Clock = SYSTEM_CLOCK,
        busy_timeout_s: float = CLIENT_BUSY_TIMEOUT_S,
    ) -> Store:
        """Open the store of a folder; a new one is made where there is none.

        Raises ``StoreUnusable`` for a file that is not ours, damaged, newer, older or not accessible.
        """
        with forks.none():
            with told(paths.home):
                if not os.path.lexists(paths.database) or is_unsettled(paths):
                    # Seldom, and much: the migrations.
                    from aerjob_cli.store.creation import create

                    create(paths, clock)
                require_database(paths)
            return cls(paths, clock=clock, busy_timeout_s=busy_timeout_s)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one consistent state."""
        with self.told(), self._transaction(writes=False) as tx:
            # Now, since the connection may have been made just before.
            self.require_present()
            yield tx

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection that may write; all of the block is committed, and on the disk, or none of it is."""
        self.require_present()
        with self.told(), self._transaction(writes=True) as tx:
            self.require_present()
            yield tx

    @contextmanager
    def reading_directly(self) -> Iterator[Connection]:
        """Do as ``reading``, without SQLAlchemy as long as only prepared statements are executed.

        Of a connection there is no more than ``execute``.
        """
        # Before as well, since there may be no connection yet, and another store is not to be opened.
        self.require_present()
        with self.told(), self._directly(writes=False) as tx:
            self.require_present()
            yield tx

    @contextmanager
    def writing_directly(self, *, syncs: bool = True) -> Iterator[Connection]:
        """Do as ``writing``, in the way of ``reading_directly``.

        With ``syncs=False`` the caller owes a ``sync_commits``, before which he may do what must not wait for the disk.
        """
        self.require_present()
        with self.told(), self._directly(writes=True, syncs=syncs or not self._can_sync_later) as tx:
            self.require_present()
            yield tx

    def sync_commits(self) -> None:
        """Make durable what ``writing_directly`` has committed without."""
        if self._can_sync_later:
            with self.told():
                sync_commits(self.paths.database, "wal")

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        with forks.none():
            engine = self._sqlalchemy()
            # The same connections, of which one that writes begins otherwise.
            with (self._writing_engine if writes else engine).begin() as connection:
                yield connection

    @contextmanager
    def _directly(self, *, writes: bool, syncs: bool = True) -> Iterator[Connection]:
        with forks.none(), self._direct.transaction(writes=writes, syncs=syncs) as connection:
            yield cast("Connection", connection)

    def _sqlalchemy(self) -> Engine:
        with self._making_engine:
            if self._engine is None:
                from aerjob_cli.store.engines import engine_for

                engine = engine_for(self.paths.database, busy_timeout_s=self.busy_timeout_s, connect=self._direct.take)
                self._writing_engine = engine.execution_options(aerjob_writes=True)
                self._engine = engine
            return self._engine

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say of the storage errors of the block what they mean; in a file that was replaced any of them may come."""
        try:
            with told(self.paths.database):
                yield
        except StoreUnusable:
            self.require_present()
            raise

    def require_present(self) -> None:
        """Raise ``StoreReplaced`` when the database file is gone or another one stands in its place.

        SQLite goes on writing to a deleted file without a word.
        """
        if self._file is None or _identity_of(self.paths.database) != self._file:
            raise StoreReplaced(
                self.paths.database,
                "was deleted or replaced while it was open",
                "nothing was changed; repeat the command",
            )

    def watch(self) -> Watch:
        """Give a cheap way to learn that another process has committed something."""
        return Watch(self, self._direct)

    def watch_others(self) -> OthersWatch:
        """Give a cheap way to learn that somebody else has committed something, for who commits often himself.

        What ``writing_directly`` commits is one's own.
        """
        return OthersWatch(self, self._direct)

    def now_us(self) -> int:
        return self.clock.now_us()

    def close(self) -> None:
        """Close all connections."""
        with forks.none():
            self._direct.close_idle()
            if self._engine is not None:
                self._engine.dispose()

    def close_for_fork(self) -> None:
        """Close the connections that are not in use; the next transaction opens one."""
        self._direct.close_idle()
        if self._engine is not None:
            # The pool stays: one that is in use must come back to where the next fork finds it.
            self._engine.pool.dispose()


class Watch:
    """Tells whether anything was committed since it was last asked (`PRAGMA data_version`)."""

    def __init__(self, store: Store, connections: DirectConnections) -> None:
        self._store = store
        self._connections = connections
        self._connection: Any = None
        self._seen: int | None = None
        forks.note_closable(self)
        with store.told(), forks.none():
            self._connected()

    def changed(self) -> bool:
        """Tell whether another connection has committed since the last call; True on the first."""
        with self._store.told(), forks.none():
            (version,) = self._connected().execute("PRAGMA data_version").fetchone()
        changed = bool(self._seen != version)
        self._seen = int(version)
        return changed

    def forget(self) -> None:
        """Have the next ``changed`` say True, when what it told of could not be looked at."""
        self._seen = None

    def close(self) -> None:
        """Leave the connection to whoever needs one next."""
        with forks.none():
            if self._connection is not None:
                self._connections.give_back(self._connection)
                self._connection = None

    def close_for_fork(self) -> None:
        """Close the connection; the next look opens another one, to which all is new."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> Any:
        if self._connection is None:
            self._seen = None
            self._connection = self._connections.take()
        return self._connection


class OthersWatch:
    """Tells whether anything was committed since it was last asked, but for what this store object committed itself.

    `PRAGMA data_version` does not count what its own connection commits. In a process of one thread there is one.
    """

    def __init__(self, store: Store, connections: DirectConnections) -> None:
        self._store = store
        self._connections = connections
        # The connection itself: another one counts otherwise, and could have the number of one that is gone.
        self._seen: tuple[Any, int] | None = None

    def changed(self) -> bool:
        """Tell whether somebody else has committed since the last call; True on the first."""
        self._store.require_present()
        with self._store.told(), forks.none():
            connection = self._connections.take()
            try:
                (version,) = connection.execute("PRAGMA data_version").fetchone()
            except BaseException:
                connection.close()
                raise
            self._connections.give_back(connection)
        before, self._seen = self._seen, (connection, int(version))
        return before is None or before[0] is not connection or before[1] != version

    def forget(self) -> None:
        """Have the next ``changed`` say True, when what it told of could not be looked at."""
        self._seen = None


def _identity_of(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
