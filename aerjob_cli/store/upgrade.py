"""Bringing a store of an earlier aerjob to the schema of this one, with a backup made first.

Everything happens in one write transaction: a kill at any moment leaves the old schema or the new one. Alembic is
imported here, and nowhere else but where a store is made.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from aerjob_cli.clock import boot_id
from aerjob_cli.errors import StoreBusy, StoreDamaged
from aerjob_cli.processes import is_running, terminate_exactly
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.connections import engine_for, leave_wal
from aerjob_cli.store.copying import copy_database, faults, faults_of_file
from aerjob_cli.store.dbapi import sqlite_library
from aerjob_cli.store.faults import told
from aerjob_cli.store.flocks import Flock, flock, try_flock
from aerjob_cli.store.folder import require_database, require_made, sync_folder
from aerjob_cli.store.identity import require_known, require_whole
from aerjob_cli.store.revisions import HEAD, migrate

# Called again and again, with the pid of the worker that is to leave.
OnWait = Callable[[int], None]
# Called as each part of the work begins, with a few words: of a large store it takes minutes.
OnStep = Callable[[str], None]

WORKER_LEAVES_WITHIN_S = 60.0
# Others wait for the one that upgrades: for its worker to leave, and for copying and checking a large database twice.
_OTHERS_TAKE_AT_MOST_S = 600.0
_BUSY_TIMEOUT_S = 60.0
_LOOK_EVERY_S = 0.05
_RESTORE = "restore it from a backup, or move it away and start a new one"


@dataclass(frozen=True)
class Upgrade:
    """From which schema to which a store was brought, and where its database is as it was before."""

    source: str
    target: str
    backup: Path | None

    @property
    def was_needed(self) -> bool:
        return self.source != self.target


def upgrade(
    paths: StorePaths,
    *,
    timeout_s: float = WORKER_LEAVES_WITHIN_S,
    on_wait: OnWait = lambda _: None,
    on_step: OnStep = lambda _: None,
) -> Upgrade:
    """Upgrade the store unless it is current; a live worker is asked to leave, and given ``timeout_s`` for that.

    Raises ``StoreUnusable``, and then the store is as it was.
    """
    with told(paths.home):
        require_made(paths)
        require_database(paths)
    with told(paths.database):
        if _revision(paths) == HEAD:
            return Upgrade(HEAD, HEAD, None)
        with _alone(paths, worker_leaves_within_s=timeout_s, on_wait=on_wait):
            if _revision(paths) == HEAD:
                # Another process was faster.
                return Upgrade(HEAD, HEAD, None)
            return _upgrade(paths, on_step)


def _revision(paths: StorePaths) -> str:
    with _connected(paths, writes=False) as connection:
        revision = require_known(connection, paths.database)
        if revision == HEAD:
            require_whole(connection, paths.database)
        return revision


def _upgrade(paths: StorePaths, on_step: OnStep) -> Upgrade:
    with _connected(paths, writes=False) as connection:
        mode = connection.execute(text("PRAGMA journal_mode")).scalar()
    if mode == "wal" and not sqlite_library().has_sound_wal:
        leave_wal(paths.database)
    with _connected(paths, writes=True) as connection:
        source = require_known(connection, paths.database)
        # Nobody writes from here on: the backup has all that the upgrade starts from.
        backup = _back_up(paths, on_step)
        on_step(f"bringing it to the schema {HEAD}")
        migrate(connection)
        require_whole(connection, paths.database)
        on_step("checking the database")
        _require_sound(paths.database, faults(connection.connection.dbapi_connection))
    return Upgrade(source, HEAD, backup)


def _back_up(paths: StorePaths, on_step: OnStep) -> Path:
    draft = paths.home / f"{paths.database.name}.before-{HEAD}.draft"
    try:
        draft.unlink(missing_ok=True)
        on_step("copying the database")
        copy_database(paths.database, draft)
        on_step("checking the copy")
        _require_sound(paths.database, faults_of_file(draft))
        place = _free_name(paths)
        draft.rename(place)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    sync_folder(paths.home)
    return place


def _free_name(paths: StorePaths) -> Path:
    """Name the backup after the schema that comes; one of an earlier upgrade, which was undone, is kept."""
    place = paths.home / f"{paths.database.name}.before-{HEAD}"
    number = 1
    while place.exists():
        number += 1
        place = place.with_name(f"{paths.database.name}.before-{HEAD}.{number}")
    return place


def _require_sound(database: Path, found: list[str]) -> None:
    if found:
        raise StoreDamaged(database, f"is damaged and was not upgraded ({'; '.join(found)})", _RESTORE)


@contextmanager
def _connected(paths: StorePaths, *, writes: bool) -> Iterator[Connection]:
    engine = engine_for(paths.database, busy_timeout_s=_BUSY_TIMEOUT_S)
    try:
        with engine.connect().execution_options(aerjob_writes=writes) as connection, connection.begin():
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _alone(paths: StorePaths, *, worker_leaves_within_s: float, on_wait: OnWait) -> Iterator[None]:
    """Hold the locks that keep others from upgrading, and workers from running, for the block."""
    try:
        with flock(paths.creation_lock, timeout_s=_OTHERS_TAKE_AT_MOST_S):
            worker_lock = _send_worker_away(paths, within_s=worker_leaves_within_s, on_wait=on_wait)
            try:
                yield
            finally:
                worker_lock.release()
    except TimeoutError as error:
        raise StoreBusy(
            paths.home, f"is not upgraded ({error})", "end the process that holds it, and repeat"
        ) from error


def _send_worker_away(paths: StorePaths, *, within_s: float, on_wait: OnWait) -> Flock:
    deadline_s = time.monotonic() + within_s
    told_to_leave: set[int] = set()
    while (lock := try_flock(paths.worker_lock)) is None:
        found = _workers(paths)
        for pid, started in found:
            if pid not in told_to_leave:
                # The request that later schemas know may be unknown to it. A second SIGTERM would cut its jobs off.
                terminate_exactly(pid, started)
                told_to_leave.add(pid)
            on_wait(pid)
        if time.monotonic() > deadline_s:
            who = f"its worker (pid {found[0][0]})" if found else "a process that holds worker.lock"
            raise StoreBusy(
                paths.home,
                f"is not upgraded, {who} has not left within {within_s:g} s",
                "repeat the command when that process has ended",
            )
        time.sleep(_LOOK_EVERY_S)
    return lock


def _workers(paths: StorePaths) -> list[tuple[int, str]]:
    """Give pid and start time of the workers that run here now; these columns are the same in all schemas."""
    query = text("SELECT pid, pid_started FROM workers WHERE ended_us IS NULL AND boot_id = :boot_id")
    with _connected(paths, writes=False) as connection:
        rows = connection.execute(query, {"boot_id": boot_id()}).all()
    return [(row.pid, row.pid_started) for row in rows if is_running(row.pid, row.pid_started)]
