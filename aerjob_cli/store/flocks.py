"""Advisory locks on files of the store's folder; the kernel frees them on any death of the holder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aerjob_cli.frozen import dataclass
from aerjob_cli.store.faults import told
from aerjob_cli.store.folder import open_private

_RETRY_S = 0.01


@dataclass(frozen=True)
class Flock:
    """A held lock. Closing its descriptor, or dying, frees it; a child that inherits the descriptor shares it."""

    path: Path
    descriptor: int

    def release(self) -> None:
        os.close(self.descriptor)

    def is_still_named(self) -> bool:
        """Tell whether the locked file is still the one at ``path``, so that the lock still means something."""
        try:
            named = os.stat(self.path)
        except FileNotFoundError:
            return False
        held = os.fstat(self.descriptor)
        return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)


def try_flock(path: Path) -> Flock | None:
    """Take the lock if nobody holds it, else return None at once. Raises ``StoreUnusable``."""
    while True:
        with told(path):
            descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        lock = Flock(path, descriptor)
        if lock.is_still_named():
            return lock
        # Someone replaced the file between open and lock; the lock on the old one binds nobody.
        lock.release()


def holders(path: Path, table: Path = Path("/proc/locks")) -> frozenset[int] | None:
    """Give the pids that hold the lock, without touching it; None where the system has no table of locks.

    A lock's row names the process that took it, which may have passed it on and ended.
    """
    try:
        rows, status = table.read_text(encoding="ascii").splitlines(), path.stat()
    except FileNotFoundError:
        return frozenset() if table.exists() else None
    except OSError:
        return None
    # proc(5): "1: FLOCK ADVISORY WRITE 12345 fd:00:678 0 EOF", the device in hexadecimal; waiters have an arrow.
    named = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    cells = [row.split() for row in rows]
    return frozenset(int(cell[4]) for cell in cells if cell[1] == "FLOCK" and cell[5] == named)


@contextmanager
def flock(path: Path, *, timeout_s: float) -> Iterator[None]:
    """Hold the lock for the block; raises ``TimeoutError`` when it was not free in time."""
    deadline = time.monotonic() + timeout_s
    while (lock := try_flock(path)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} stayed locked for {timeout_s:g} s")
        time.sleep(_RETRY_S)
    try:
        yield
    finally:
        lock.release()


def replace_flock(path: Path) -> Flock:
    """Put a new, locked file in the place of one whose holder is silent; the holder finds out by ``is_still_named``.

    The caller sees to it that no two processes do this at once.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = open_private(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    draft.rename(path)
    return Flock(path, descriptor)
