"""Where a backup goes: a folder that is built under another name beside its place, so that it is whole or not there."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aerjob_cli.errors import BackupFailed, BackupMisplaced
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.folder import PRIVATE_FOLDER


def checked_place(home: Path, destination: Path) -> Path:
    """Give the destination as an absolute path; raises ``BackupMisplaced`` where no backup of ``home`` can be made."""
    with writing_to(destination):
        place = destination.expanduser().resolve()
        if place.is_relative_to(home.resolve()):
            raise BackupMisplaced(place, "which is in the store's own folder", "choose a folder outside of it")
        if os.path.lexists(place) and not place.is_dir():
            raise BackupMisplaced(place, "which is not a folder", "choose one that does not exist yet")
        if place.is_dir() and any(place.iterdir()):
            raise BackupMisplaced(place, "which is not empty", "choose a folder that does not exist yet")
        if not place.parent.is_dir():
            raise BackupMisplaced(place, f"since there is no folder {place.parent}", "make that folder first")
    return place


@contextmanager
def draft_beside(place: Path) -> Iterator[StorePaths]:
    """Make the folders of a store beside ``place``, for the block to fill and rename; what it leaves is removed."""
    prefix = f".{place.name}.aerjob-draft-"
    with writing_to(place):
        for leftover in place.parent.glob(f"{glob.escape(prefix)}*"):
            _remove_if_forsaken(leftover)
        home = place.with_name(f"{prefix}{uuid.uuid4().hex[:8]}")
        home.mkdir(mode=PRIVATE_FOLDER)
    try:
        with writing_to(place):
            lock = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with writing_to(place):
                # Tells the draft of a living process from one that was left behind.
                fcntl.flock(lock, fcntl.LOCK_EX)
                draft = StorePaths(home)
                for folder in (draft.home, draft.objects, draft.incoming):
                    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
                    folder.chmod(PRIVATE_FOLDER)
            yield draft
        finally:
            os.close(lock)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _remove_if_forsaken(draft: Path) -> None:
    descriptor = os.open(draft, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(draft, ignore_errors=True)
    finally:
        os.close(descriptor)


@contextmanager
def writing_to(place: Path) -> Iterator[None]:
    """Say of what goes wrong in the block that the backup's place is to blame."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise no_room(place) from error
        fact = f"where the system says: {error.strerror}"
        raise BackupFailed(place, fact, "choose a place that you can write") from error


def no_room(place: Path) -> BackupFailed:
    """Make the error of a full disk."""
    return BackupFailed(place, "where no room is left on the disk", "free some, or choose another place")
