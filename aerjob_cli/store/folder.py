"""The private folder of a store: made with 0700, refused where others could write or locks do not hold."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from aerjob_cli.errors import StoreDamaged, StoreForeign, StoreUnusable
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.mounts import file_system_of
from aerjob_cli.store.plants import require_no_plants, require_own_file

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
_WRITABLE_BY_OTHERS = 0o022

# File systems on which flock or the shared memory of a WAL does not hold between hosts.
_NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "fuse.sshfs", "9p", "lustre"})


def make_private(paths: StorePaths) -> None:
    """Make the folders of a new store, closed to everybody else whatever the umask is."""
    _make_folders_above(paths.home)
    paths.home.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    _require_own(paths.home)
    if stat.S_IMODE(paths.home.stat().st_mode) != PRIVATE_FOLDER:
        paths.home.chmod(PRIVATE_FOLDER)
    kind = file_system_of(paths.home)
    if kind is not None and is_network(kind):
        raise StoreUnusable(
            paths.home,
            f"is on a network file system ({kind}), where locks do not hold",
            "set AERJOB_HOME to a folder on a local disk",
        )
    # The folder is closed by now: nothing more gets in.
    require_no_plants(paths)
    for folder in (paths.objects, paths.incoming):
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        folder.chmod(PRIVATE_FOLDER)


def _make_folders_above(home: Path) -> None:
    """Make the folders that are missing above the store's, each as the XDG base directory specification has it."""
    for folder in reversed(home.parents):
        if not folder.exists():
            folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            folder.chmod(PRIVATE_FOLDER)


def require_private(paths: StorePaths) -> None:
    """Refuse a folder that belongs to somebody else or that others may write."""
    _require_own(paths.home)
    if paths.home.stat().st_mode & _WRITABLE_BY_OTHERS:
        raise StoreForeign(paths.home, "can be written by other users", f"run: chmod 700 {paths.home}")
    for folder in (paths.objects, paths.incoming):
        if folder.is_symlink():
            # The store's own mode would keep nobody from what is there.
            fact = "is a symbolic link, and may lead to where others can read"
            raise StoreForeign(folder, fact, "put the folder itself there; AERJOB_HOME moves the whole store")


def require_database(paths: StorePaths) -> None:
    """Refuse a folder that is not private, or has no file that could be the database."""
    require_private(paths)
    require_regular(paths)


def require_regular(paths: StorePaths) -> None:
    """Refuse what cannot be a database, whatever is in it."""
    if paths.database.is_symlink() or not paths.database.is_file():
        raise StoreUnusable(paths.database, "is not a regular file", "move it away, or set AERJOB_HOME")
    require_own_file(paths.database, paths.database.stat())
    if paths.database.stat().st_size == 0:
        raise StoreDamaged(paths.database, "is empty", "restore it from a backup, or move it away")


def require_made(paths: StorePaths) -> None:
    """Refuse a folder in which no store was made yet."""
    if not os.path.lexists(paths.database):
        raise StoreUnusable(paths.home, "does not exist yet", "set AERJOB_HOME to another one, or submit a job first")


def is_unsettled(paths: StorePaths) -> bool:
    """Tell whether a power cut could still take away the store that is there: nothing may be promised in it yet."""
    return os.path.lexists(paths.creation_mark)


def sync_file(path: Path) -> None:
    """Make the content of a file durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_own(home: Path) -> None:
    if home.stat().st_uid != os.geteuid():
        raise StoreForeign(home, "belongs to another user", "set AERJOB_HOME to a folder of your own")


def open_private(path: Path, flags: int) -> int:
    """Open a file of the store, made with 0600 if it is made; a symbolic link in its place is refused."""
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
    if flags & os.O_CREAT and stat.S_IMODE(os.fstat(descriptor).st_mode) != PRIVATE_FILE:
        # The umask may have taken away what the owner needs. Where it is not ours to change, it stays as it is.
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, PRIVATE_FILE)
    return descriptor


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_network(kind: str) -> bool:
    """Tell whether a kind of file system is shared with other hosts."""
    return kind in _NETWORK_FILE_SYSTEMS
