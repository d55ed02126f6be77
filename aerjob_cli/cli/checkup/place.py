"""Is the store in a good place: whose it is, on which file system, with how much room?"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from aerjob_cli.cli.checkup.finding import Finding, Part, good, note, wrong
from aerjob_cli.cli.sizes import show_size
from aerjob_cli.errors import StoreUnusable
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.faults import told
from aerjob_cli.store.folder import is_network, require_private
from aerjob_cli.store.mounts import file_system_of

# Below this a single large result fills the disk; below the second a day of them does.
_NO_ROOM_BYTES = 100 * 2**20
_LITTLE_ROOM_BYTES = 2**30
_NO_ROOM_FILES = 1000

# What is in these goes with a reboot, or with the container.
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_OF_CONTAINERS = frozenset({"overlay", "aufs"})


def examine(paths: StorePaths) -> Iterator[Finding]:
    """Look at the folder of the store, or where it is not made yet, at the one that it will be made in."""
    there = _existing(paths.home)
    if os.path.lexists(paths.home):
        yield _folder(paths)
    elif os.access(there, os.W_OK | os.X_OK):
        yield note("folder", f"{paths.home} does not exist yet", "the first job makes it")
    else:
        fact = f"{paths.home} cannot be made, since {there} cannot be written"
        yield wrong("folder", fact, "set AERJOB_HOME to a folder of your own", Part.STORE)
    yield _file_system(there)
    yield _room(there)


def _folder(paths: StorePaths) -> Finding:
    try:
        with told(paths.home):
            require_private(paths)
    except StoreUnusable as error:
        return wrong("folder", error.message, None, Part.STORE)
    if not paths.home.is_dir():
        return wrong("folder", f"{paths.home} is not a folder", "move it away, or set AERJOB_HOME", Part.STORE)
    if not os.access(paths.home, os.R_OK | os.W_OK | os.X_OK):
        if os.statvfs(paths.home).f_flag & os.ST_RDONLY:
            fact = f"{paths.home} is on a file system that is mounted to be read only"
            return wrong("folder", fact, "mount it to be written, or set AERJOB_HOME", Part.STORE)
        return wrong("folder", f"{paths.home} cannot be written", f"run: chmod 700 {paths.home}", Part.STORE)
    closed = "" if paths.home.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) else ", closed to other users"
    return good("folder", f"{paths.home}{closed}")


def _file_system(folder: Path) -> Finding:
    kind = file_system_of(folder)
    if kind is None:
        return note("file system", "its kind is not known")
    if is_network(kind):
        remedy = "set AERJOB_HOME to a folder on a local disk"
        return wrong("file system", f"{kind} is a network file system, where locks do not hold", remedy, Part.STORE)
    if kind in _IN_MEMORY:
        remedy = "set AERJOB_HOME to a folder on a disk, if its jobs should outlive a reboot"
        return note("file system", f"{kind} is in memory", remedy)
    if kind in _OF_CONTAINERS:
        remedy = "set AERJOB_HOME to a mounted volume, if its jobs should outlive the container"
        return note("file system", f"{kind} goes with its container", remedy)
    return good("file system", kind)


def _room(folder: Path) -> Finding:
    try:
        status = os.statvfs(folder)
    except OSError as error:
        return wrong("disk", f"its free space cannot be told ({error.strerror})", "check the disk", Part.STORE)
    free_bytes = status.f_bavail * status.f_frsize
    fact = f"{show_size(free_bytes)} free"
    # Some file systems have no fixed number of files, and say 0 of 0.
    if status.f_files and status.f_favail < _NO_ROOM_FILES:
        return wrong("disk", f"room for {status.f_favail} more files", "remove files that are not needed", Part.STORE)
    if free_bytes < _NO_ROOM_BYTES:
        return wrong("disk", fact, "free some space; `aerjob store clean` and `aerjob rm` help", Part.STORE)
    if free_bytes < _LITTLE_ROOM_BYTES:
        return note("disk", fact, "`aerjob store clean` and `aerjob rm` free some")
    return good("disk", fact)


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if os.path.isdir(folder))
