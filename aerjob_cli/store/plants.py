"""What others may have left in a folder before a store is made there: links that lead elsewhere, files of theirs.

Once the store is made, the folder's own mode keeps them out; what was there before would stay theirs to read or write.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from aerjob_cli.errors import StoreForeign
from aerjob_cli.settings import StorePaths

_OTHERS_CAN_WRITE = 0o022


def require_no_plants(paths: StorePaths) -> None:
    """Refuse to make a store around what somebody else put there. Raises ``StoreForeign``."""
    for path in _places(paths):
        try:
            status = path.lstat()
        except FileNotFoundError:  # of another process that makes the store at the same time
            continue
        if stat.S_ISLNK(status.st_mode):
            raise StoreForeign(path, "is a symbolic link, and may lead anywhere", "remove it, or set AERJOB_HOME")
        require_own_file(path, status)


def require_own_file(path: Path, status: os.stat_result) -> None:
    """Refuse a file that belongs to another user, or that others can write. Raises ``StoreForeign``."""
    if status.st_uid != os.geteuid():
        raise StoreForeign(path, "belongs to another user", "set AERJOB_HOME to a folder of your own")
    if status.st_mode & _OTHERS_CAN_WRITE and not stat.S_ISDIR(status.st_mode):
        raise StoreForeign(path, "can be written by other users", f"run: chmod 600 {path}")


def _places(paths: StorePaths) -> Iterator[Path]:
    """Give what is there under names of the store's."""
    stems = (
        paths.database,
        paths.objects,
        paths.doorbell,
        paths.gong,
        paths.creation_lock,
        paths.starter_lock,
        paths.worker_lock,
        paths.worker_log,
    )
    names = tuple(stem.name for stem in stems)
    with os.scandir(paths.home) as entries:
        found = [Path(entry.path) for entry in entries if entry.name.startswith((*names, "errors.log"))]
    for path in found:
        yield path
        for folder, folders, files in os.walk(path):
            yield from (Path(folder) / name for name in (*folders, *files))
