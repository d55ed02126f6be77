"""Making a new store: built under another name by the migrations, then renamed, so that it is whole or not there."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from sqlalchemy import insert, text

from aerjob_cli.clock import Clock
from aerjob_cli.errors import StoreUnusable
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.connections import set_journal_mode
from aerjob_cli.store.dbapi import sqlite_library
from aerjob_cli.store.engines import engine_for
from aerjob_cli.store.flocks import flock
from aerjob_cli.store.folder import is_unsettled, make_private, open_private, sync_file, sync_folder
from aerjob_cli.store.identity import APPLICATION_ID
from aerjob_cli.store.revisions import migrate
from aerjob_cli.store.syncing import sync_way_to
from aerjob_cli.store.tables import store_identity
from aerjob_cli.version import __version__

_DRAFT = "aerjob.db.draft"
# Building takes half a second; 200 first submits at once wait for one of them to do it.
_OTHERS_TAKE_AT_MOST_S = 60.0


def create(paths: StorePaths, clock: Clock) -> None:
    """Make the store of a folder, unless another process does so at the same time; it is durable when this returns."""
    make_private(paths)
    try:
        with flock(paths.creation_lock, timeout_s=_OTHERS_TAKE_AT_MOST_S):
            if not os.path.lexists(paths.database):
                _remove_drafts(paths.home)
                # Where the database is, the folders for objects are, too.
                sync_folder(paths.objects)
                sync_folder(paths.home)
                try:
                    _build(paths.home / _DRAFT, clock)
                    sync_file(paths.home / _DRAFT)
                    os.close(open_private(paths.creation_mark, os.O_RDWR | os.O_CREAT))
                except BaseException:
                    # Where no room is left, nothing half shall take what there is.
                    _remove_drafts(paths.home)
                    raise
                (paths.home / _DRAFT).rename(paths.database)
            if is_unsettled(paths):
                sync_folder(paths.home)
                sync_way_to(paths.home)
                paths.creation_mark.unlink()
    except TimeoutError as error:
        raise StoreUnusable(
            paths.home, f"is not made ({error})", "end the process that holds it, and repeat"
        ) from error


def _build(draft: Path, clock: Clock) -> None:
    library = sqlite_library()
    if not library.is_recent_enough:
        version = ".".join(map(str, library.version))
        raise StoreUnusable(draft.parent, f"needs SQLite 3.35 or later, and there is {version}", "install pysqlite3")
    os.close(open_private(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL))
    draft.chmod(0o600)
    engine = engine_for(draft, busy_timeout_s=1.0)
    try:
        with engine.connect().execution_options(aerjob_writes=True) as connection, connection.begin():
            connection.execute(text(f"PRAGMA application_id={APPLICATION_ID}"))
            migrate(connection)
            connection.execute(
                insert(store_identity).values(
                    singleton=1,
                    store_uuid=str(uuid.uuid4()),
                    created_us=clock.now_us(),
                    created_by=f"aerjob {__version__}",
                )
            )
    finally:
        engine.dispose()
    if library.has_sound_wal:
        set_journal_mode(draft, "wal")


def _remove_drafts(home: Path) -> None:
    for leftover in home.glob(f"{_DRAFT}*"):
        with contextlib.suppress(FileNotFoundError):
            leftover.unlink()
