"""Who can get at the files of a store: whether others can, and whether its owner can."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.folder import PRIVATE_FILE, PRIVATE_FOLDER

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class WrongMode:
    """What is wrong with a path, as a sentence, and the mode that would put it right; None where none would."""

    path: Path
    message: str
    mode: int | None


def wrong_modes(paths: StorePaths) -> Iterator[WrongMode]:
    """Look at the folder, the database and the objects; a folder is told of before what is in it is looked at.

    The folder's own mode keeps others from all within it.
    """
    if paths.home.stat().st_mode & _OTHERS and paths.home.stat().st_uid == os.geteuid():
        sentence = f"others can get at the store, the mode of {paths.home} is not 700; run: chmod 700 {paths.home}"
        yield WrongMode(paths.home, sentence, PRIVATE_FOLDER)
    database = paths.database
    beside = (database.with_name(f"{database.name}{suffix}") for suffix in ("-wal", "-shm", "-journal"))
    # The folder itself may be named by a link; nothing in it may be one.
    for path in (paths.home.resolve(), database, *beside):
        yield from _wrong_mode(path)
    yield from _below(paths.objects)


def _below(folder: Path) -> Iterator[WrongMode]:
    yield from _wrong_mode(folder)
    with contextlib.suppress(OSError):
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                yield from _below(Path(entry.path))
            else:
                yield from _wrong_mode(Path(entry.path))


def _wrong_mode(path: Path) -> Iterator[WrongMode]:
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    mode = PRIVATE_FOLDER if stat.S_ISDIR(status.st_mode) else PRIVATE_FILE
    if stat.S_ISLNK(status.st_mode):
        yield WrongMode(path, f"{path} is a symbolic link, which is not followed", None)
    elif status.st_uid != os.geteuid():
        yield WrongMode(path, f"{path} belongs to another user", None)
    elif status.st_mode & mode != mode:
        yield WrongMode(path, f"{path} cannot be read and written by its owner", mode)
