"""Forks of this process: none happens in the middle of anything, and no SQLite connection is carried across one.

SQLite remembers for the whole process which locks it has on a file. A forked child inherits that memory, but no lock:
every connection that it opens believes itself protected by locks that are not there, also one to which nothing was
carried over. Other processes then remove the log of the database under it, and what it commits is lost
(https://sqlite.org/howtocorrupt.html, 2.6; ``/proc/locks`` shows it).

So a fork waits until no thread uses the store, and all connections are closed before it. Parent and child open new ones
when they need them. Python tells of the forks that it makes itself (``os.fork``, ``multiprocessing``); a child process
that is started as a program inherits nothing.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from weakref import WeakSet

from aerjob_cli.errors import StoreUsedAtFork

# Longer than any transaction takes that does not wait for others.
_OTHERS_TAKE_AT_MOST_S = 10.0


class Closable(Protocol):
    """What has connections, which it opens again when it needs them."""

    def close_for_fork(self) -> None:
        """Close the connections that are not in use at this moment."""
        ...


class _Gate:
    """Who is in the middle of something, and whether this process is about to fork."""

    def __init__(self) -> None:
        # Entered itself and not by way of the condition, in which a Ctrl-C could come when the lock is just taken.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._inside: dict[object, int] = {}
        self._is_forking = False
        self._connections: WeakSet[Any] = WeakSet()
        self._closables: WeakSet[Closable] = WeakSet()
        self.has_carried = False

    def note_connection(self, connection: Any) -> None:
        with self._lock:
            self._connections.add(connection)

    def note_closable(self, closable: Closable) -> None:
        with self._lock:
            self._closables.add(closable)

    @contextmanager
    def inside(self) -> Iterator[None]:
        visit, me = object(), threading.get_ident()
        try:
            with self._lock:
                # Who is inside already must be able to come to an end.
                while self._is_forking and me not in self._inside.values():
                    self._changed.wait()
                self._inside[visit] = me
            yield
        finally:
            with self._lock:
                self._inside.pop(visit, None)
                if self._is_forking:
                    self._changed.notify_all()

    def before_fork(self) -> None:
        # Few processes fork; and in the child, where it may be needed, it must not be imported first.
        import ctypes  # noqa: F401

        me = threading.get_ident()
        with self._lock:
            while self._is_forking:  # another thread, to which this one is one of those that wait
                self._changed.wait()
            self._is_forking = True
            self._changed.wait_for(lambda: set(self._inside.values()) <= {me}, timeout=_OTHERS_TAKE_AT_MOST_S)
            for closable in list(self._closables):
                closable.close_for_fork()

    def after_fork_in_parent(self) -> None:
        with self._lock:
            self._is_forking = False
            self._changed.notify_all()

    def after_fork_in_child(self) -> None:
        # The threads that waited are not here, and neither are those that did not come to an end in time.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._inside.clear()
        self._is_forking = False
        for connection in list(self._connections):
            if _is_open(connection):
                import ctypes

                self.has_carried = True
                # Even its destructor would end the transaction of the parent.
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


_GATE = _Gate()
os.register_at_fork(
    before=_GATE.before_fork,
    after_in_parent=_GATE.after_fork_in_parent,
    after_in_child=_GATE.after_fork_in_child,
)


@contextmanager
def none() -> Iterator[None]:
    """Have no fork of this process during the block: one that is about to happen waits for its end.

    Also for files that are locked meanwhile: a forked child would keep them locked.
    """
    with _GATE.inside():
        yield


def note_closable(closable: Closable) -> None:
    """Have connections closed before each fork."""
    _GATE.note_closable(closable)


def note_connection(connection: Any) -> None:
    """Take notice of a connection: it must be closed when the process forks."""
    _GATE.note_connection(connection)


def has_carried() -> bool:
    """Tell whether an open connection was carried into this process."""
    return _GATE.has_carried


def require_none_carried() -> None:
    """Raise ``StoreUsedAtFork`` in a process into which an open connection was carried."""
    if _GATE.has_carried:
        raise StoreUsedAtFork


def _is_open(connection: Any) -> bool:
    try:
        connection.total_changes  # noqa: B018 - refuses when it is closed
    except Exception:  # noqa: BLE001 - whatever the library's own is
        return False
    return True
