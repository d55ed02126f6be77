"""Waiting for rows: shared by the command line and Python.

`PRAGMA data_version` says whether anything was committed at all; only then the rows are read. The interval is 2 % of
the time already waited, from 2 ms to 250 ms, and ends when the worker strikes the gong: the end of a short job is
noticed within milliseconds, a long wait costs next to nothing. Whoever waits for long, or for so many rows that reading
them takes long, does not heed the gong all the time, and leaves the processor to those that run the jobs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from aerjob_cli.errors import StoreBusy
from aerjob_cli.store.database import Store, Watch
from aerjob_cli.store.gong import Listener

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SHARE_OF_TIME_WAITED = 0.02
_SHORTEST_S = 0.002
_LONGEST_S = 0.25
# A pause is so many times as long as the processor took for the look before it, where that was more than a few rows.
_PAUSES_PER_LOOK = 10
_CHEAP_LOOK_S = 0.001
# The part of a pause in which the gong is not heeded: a worker that ends many jobs strikes often.
_DEAF_PART = 1 / 2
_HEEDED_ALWAYS_S = 0.01  # the longest pause in which it is: after half a second of waiting

Found = TypeVar("Found")


def wait_for(
    store: Store,
    look: Callable[[Connection], Found | None],
    *,
    timeout_s: float | None,
    attend: Callable[[], None],
    tick: Callable[[], None] | None = None,
) -> Found | None:
    """Return what ``look`` finds as soon as it is not None, or None after ``timeout_s``.

    ``attend`` and ``tick`` are called before each pause: for whoever sees to it, now and then, that work goes on after
    a worker was lost, and for whoever shows that time passes. A timeout of 0 looks once.
    """
    watch, listener = store.watch(), Listener(store.paths.gong)
    begun = time.monotonic()
    try:
        while True:
            listener.listen()
            began_s = time.thread_time()
            found = look_if_changed(store, watch, look)
            took_s = time.thread_time() - began_s
            if found is not None:
                return found
            now = time.monotonic()
            left_s = None if timeout_s is None else timeout_s - (now - begun)
            if left_s is not None and left_s <= 0:
                return None
            attend()
            if tick is not None:
                tick()
            pause_s = pause_after(now - begun)
            deaf_s = _DEAF_PART * pause_s if pause_s > _HEEDED_ALWAYS_S else 0.0
            if took_s > _CHEAP_LOOK_S:
                deaf_s = max(deaf_s, min(_PAUSES_PER_LOOK * took_s, _LONGEST_S))
            if left_s is not None:
                pause_s, deaf_s = min(pause_s, left_s), min(deaf_s, left_s)
            if deaf_s > 0:
                time.sleep(deaf_s)
            if pause_s > deaf_s:
                listener.rest(pause_s - deaf_s)
    finally:
        listener.close()
        watch.close()


def pause_after(waited_s: float) -> float:
    """Say for how many seconds to rest before the next look, after that many seconds of waiting."""
    return min(max(_SHARE_OF_TIME_WAITED * waited_s, _SHORTEST_S), _LONGEST_S)


def look_if_changed(store: Store, watch: Watch, look: Callable[[Connection], Found | None]) -> Found | None:
    """Return what ``look`` finds, or None at once when nothing was committed since the last time."""
    try:
        if not watch.changed():
            return None
        with store.reading_directly() as tx:
            return look(tx)
    except StoreBusy:
        # With a rollback journal a writer keeps readers out; there will be a next time.
        watch.forget()
        return None
