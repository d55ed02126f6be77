"""Making sure of what another process has done, which may have been killed before it synced it itself.

What is visible is not yet durable: a process can die between a rename, or the last write of a commit, and the sync
that it owed. Whoever comes next sees what it did, builds on it and tells people about it, so it syncs that first.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from aerjob_cli.store.folder import sync_file, sync_folder


def sync_way_to(folder: Path) -> None:
    """Make the names that lead to a folder durable, up to the top of its file system.

    Those that only others may read were not made by us, and are left out.
    """
    device = folder.stat().st_dev
    for above in folder.resolve().parents:
        if above.stat().st_dev != device:
            return
        with contextlib.suppress(PermissionError):
            sync_folder(above)


def sync_commits(database: Path, journal_mode: str) -> None:
    """Make all that can be read in a database durable.

    The commits of living processes are: they can be read only after their sync. One that was killed within its sync
    leaves a commit that the next process to open the database finds in the log (https://sqlite.org/walformat.html,
    "recovery"), or, with a rollback journal, whose removal may not have reached the disk.
    """
    if journal_mode == "wal":
        # None of SQLite's locks is on the log, so that it may be opened and closed beside SQLite.
        with contextlib.suppress(FileNotFoundError):
            sync_file(database.with_name(f"{database.name}-wal"))
    else:
        sync_folder(database.parent)
