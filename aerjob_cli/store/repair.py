"""Repairing what can be repaired without guessing: what follows from the code, or from rows that are there.

* The folders and files that are ours get their modes back, and a missing folder for objects is made.
* Triggers and indexes that are missing, or are not as the migrations define them, are made anew by the migrations' own
  statements.
* How many experiments of a job have their result is counted again, unless the job has ended: such a job never changes.
* Files that belong to no job are removed, as by `garbage`.

Nothing is invented: what rows and files do not tell stays as it is, for an inspection to report. All that is written
into the database is one transaction, which a worker waits for like for any other.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, func, select, text, update

from aerjob_cli.errors import StoreDamaged, StoreFailing
from aerjob_cli.settings import StorePaths
from aerjob_cli.store import waits_counted
from aerjob_cli.store.database import Store
from aerjob_cli.store.definitions import FINGERPRINTS, altered, definitions_of, definitions_of_the_migrations
from aerjob_cli.store.engines import engine_for
from aerjob_cli.store.faults import told
from aerjob_cli.store.folder import PRIVATE_FOLDER, require_database, require_made, sync_folder
from aerjob_cli.store.garbage import remove_unreferenced
from aerjob_cli.store.identity import require_current
from aerjob_cli.store.permissions import wrong_modes
from aerjob_cli.store.tables import experiments, jobs

_BUSY_TIMEOUT_S = 60.0
_CALLED = {"trigger": "guard", "index": "index"}


def repair(paths: StorePaths) -> tuple[str, ...]:
    """Repair what can be repaired, and say in sentences what was done.

    What remains is for ``inspect_store`` to find. Raises ``StoreUnusable`` for what is no store in the latest schema,
    and for one that cannot be written.
    """
    done: list[str] = []
    with told(paths.home):
        require_made(paths)
        done += _close_to_others(paths)
        done += _make_folders(paths)
        require_database(paths)
    # Damage that keeps one part from being read is left to the inspection that follows.
    with contextlib.suppress(StoreDamaged, StoreFailing), told(paths.database):
        done += _mend_schema(paths)
    with contextlib.suppress(StoreDamaged, StoreFailing), told(paths.database):
        done += _count_again(paths)
    with contextlib.suppress(StoreDamaged, StoreFailing), told(paths.database):
        done += _wait_again(paths)
    with contextlib.suppress(StoreDamaged, StoreFailing):
        done += _clear(paths)
    return tuple(done)


def _close_to_others(paths: StorePaths) -> Iterator[str]:
    for fault in wrong_modes(paths):
        if fault.mode is not None:
            before = stat.S_IMODE(fault.path.stat().st_mode)
            fault.path.chmod(fault.mode)
            yield f"the mode of {fault.path} was {before:03o} and is {fault.mode:03o}"


def _make_folders(paths: StorePaths) -> Iterator[str]:
    for folder in (paths.objects, paths.incoming):
        if not os.path.lexists(folder):
            folder.mkdir(mode=PRIVATE_FOLDER)
            folder.chmod(PRIVATE_FOLDER)
            # As in a new store: what is put in there later is synced with its own folder, and not with this one.
            sync_folder(folder.parent)
            yield f"the folder {folder} was made"


def _mend_schema(paths: StorePaths) -> list[str]:
    with _transaction(paths) as tx:
        found = definitions_of(tx)
        changed = altered(tx)
        wanted = sorted(name for name in FINGERPRINTS if name not in found or name in changed)
    if not wanted:
        return []
    source = definitions_of_the_migrations()
    done = []
    with _transaction(paths) as tx:
        for name in wanted:
            kind = _CALLED[source[name].kind]
            with contextlib.suppress(StoreDamaged), told(paths.database), tx.begin_nested():
                # What it stands on may be missing or damaged itself.
                tx.execute(text(f'DROP {source[name].kind} IF EXISTS "{name}"'))
                tx.exec_driver_sql(source[name].sql)
                was = "not as it should be" if name in changed else "missing"
                done.append(f"the {kind} {name} was {was}, and was made anew")
    return done


def _count_again(paths: StorePaths) -> list[str]:
    stored = select(func.count()).where(experiments.c.job_seq == jobs.c.seq).scalar_subquery()
    with _transaction(paths) as tx:
        wrong = jobs.c.finished_us.is_(None) & (jobs.c.experiments_done != stored)
        query = select(jobs.c.seq, jobs.c.job_id, jobs.c.experiments_done, stored.label("stored"))
        done = []
        for row in tx.execute(query.where(wrong)).all():
            tx.execute(update(jobs).where(jobs.c.seq == row.seq).values(experiments_done=row.stored))
            counts = f"{row.stored} results, and not {row.experiments_done}"
            done.append(f"job {row.job_id} has {counts}; that was put right")
        return done


def _wait_again(paths: StorePaths) -> list[str]:
    with _transaction(paths) as tx:
        done = []
        for row in tx.execute(waits_counted.WRONG).all():
            right = {"waits": row.should_be, "unmet_any": row.any_should_be}
            tx.execute(update(jobs).where(jobs.c.seq == row.seq).values(right))
            counts = f"{row.waits} things besides its turn, and not for {row.should_be}"
            done.append(f"job {row.job_id} waited for {counts}; that was put right")
        return done


def _clear(paths: StorePaths) -> Iterator[str]:
    store = Store.open(paths)
    try:
        freed_bytes = remove_unreferenced(store)
    finally:
        store.close()
    if freed_bytes:
        yield f"{freed_bytes} bytes of files that belong to no job were removed"


@contextmanager
def _transaction(paths: StorePaths) -> Iterator[Connection]:
    """Give a connection that may write to a store that a ``Store`` might refuse, since it lacks a guard."""
    engine = engine_for(paths.database, busy_timeout_s=_BUSY_TIMEOUT_S)
    try:
        with engine.connect().execution_options(aerjob_writes=True) as connection, connection.begin():
            require_current(connection, paths.database)
            yield connection
    finally:
        engine.dispose()
