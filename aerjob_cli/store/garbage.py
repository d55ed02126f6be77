"""Removing object files that nothing refers to any more.

A file is written before the row that refers to it is committed, so a file without a reference may be about to get
one: a client has put its circuits and waits for the database, or a worker has named a result. How long that takes has
no bound (a full disk, a suspended laptop), so no age of a file makes its removal safe. What does:

* Files are removed inside a write transaction, of which there is one at a time, and only those that no row refers to.
* Whoever refers to a file looks, inside the write transaction that refers to it, whether the file is there. A client
  that does not find its circuits puts them again (``objects.put_again``); a worker gives the job back, whose missing
  experiments are then run again. So no reference to a removed file is ever committed.
* While a backup copies (it holds the lock of the object folder), nothing is removed.

The rows must be gone, and their removal be committed, before this is called: otherwise a crash could bring the rows
back without their files. A crash in between leaves waste, which a later call without ``sha256s`` removes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aerjob_cli.errors import StoreBusy
from aerjob_cli.settings import StorePaths
from aerjob_cli.store import forks
from aerjob_cli.store.database import Store
from aerjob_cli.store.faults import told
from aerjob_cli.store.inventory import StoredFile, draft_files, is_sha256, object_files, referenced
from aerjob_cli.store.objects import object_path

# A file that is being written is written to all the time; this long after the last byte its writer is dead.
STALE_DRAFT_S = 3600.0
# Only a courtesy, when nobody says which files lost their rows: who has just put one is spared putting it again.
YOUNG_S = 600.0
# Other writers wait as long as it takes to remove this many files, some milliseconds.
_FILES_PER_TRANSACTION = 20
_RETRY_S = 0.01


def remove_unreferenced(store: Store, sha256s: Iterable[str] | None = None) -> int:
    """Remove those of the objects that no row refers to, and return how many bytes that frees.

    Without ``sha256s`` all objects are looked at, but for young ones, and drafts are removed that nobody will finish.
    Removes nothing while a backup copies the objects. Raises ``StoreUnusable``.
    """
    with told(store.paths.objects), _may_remove(store.paths) as allowed:
        if not allowed:
            return 0
        if sha256s is not None:
            named = [object_path(store.paths, sha256) for sha256 in set(sha256s) if is_sha256(sha256)]
            return _remove_objects(store, [path for path in named if path.is_file()])
        now_s = time.time()
        old = [file.path for file in object_files(store.paths) if is_waste_when_unreferenced(file, now_s=now_s)]
        return _remove_objects(store, old) + _remove_drafts(store.paths, now_s=now_s)


def is_waste_when_unreferenced(file: StoredFile, *, now_s: float) -> bool:
    """Tell whether a file is old enough not to be in somebody's hands right now."""
    return now_s - file.modified_s > (STALE_DRAFT_S if file.sha256 is None else YOUNG_S)


@contextmanager
def objects_kept(paths: StorePaths, *, timeout_s: float) -> Iterator[None]:
    """See to it that no object is removed during the block; raises ``StoreBusy`` when another one does so for long."""
    deadline_s = time.monotonic() + timeout_s
    while (descriptor := _try_lock(paths.objects, fcntl.LOCK_EX)) is None:
        if time.monotonic() > deadline_s:
            raise StoreBusy(paths.home, "is being copied or cleared of old files", "repeat the command later")
        time.sleep(_RETRY_S)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _may_remove(paths: StorePaths) -> Iterator[bool]:
    # Shared: several may remove at once, since each file is looked at in a write transaction.
    with forks.none():
        descriptor = _try_lock(paths.objects, fcntl.LOCK_SH)
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                os.close(descriptor)


def _try_lock(folder: Path, kind: int) -> int | None:
    """Lock a folder as such, which needs no file beside it; closing the descriptor, or dying, frees it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _remove_objects(store: Store, candidates: list[Path]) -> int:
    freed_bytes = 0
    store.paths.incoming.mkdir(mode=0o700, exist_ok=True)
    for start in range(0, len(candidates), _FILES_PER_TRANSACTION):
        part = {_sha256_of(path): path for path in candidates[start : start + _FILES_PER_TRANSACTION]}
        doomed = []
        with store.writing_directly() as tx:
            for sha256 in part.keys() - referenced(tx, list(part)):
                # Nobody else finds it then. What takes long is done when others can write again.
                with contextlib.suppress(FileNotFoundError):
                    doomed.append(part[sha256].rename(store.paths.incoming / uuid.uuid4().hex))
        freed_bytes += sum(map(_remove, doomed))
    return freed_bytes


def _remove_drafts(paths: StorePaths, *, now_s: float) -> int:
    return sum(_remove(file.path) for file in draft_files(paths) if is_waste_when_unreferenced(file, now_s=now_s))


def _sha256_of(path: Path) -> str:
    return path.parent.name + path.name


def _remove(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        size_bytes = path.stat().st_size
        path.unlink()
        return size_bytes
    return 0
