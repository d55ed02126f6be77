"""FIFOs in the store's folder: made for their owner alone, opened without waiting and without being led elsewhere."""

from __future__ import annotations

import os
import stat
import uuid
from pathlib import Path

from aerjob_cli.store.folder import PRIVATE_FILE

_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW


def make(path: Path) -> int:
    """Put a new FIFO in the place of whatever is there, and open it to read; nobody finds it without a reader."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    _clear(draft)
    os.mkfifo(draft, PRIVATE_FILE)
    draft.chmod(PRIVATE_FILE)
    # O_RDWR keeps it from ever reporting an end of file when the last writer leaves (on Linux and macOS a FIFO may be
    # opened so).
    descriptor = os.open(draft, os.O_RDWR | _FLAGS)
    if _is_folder(path):
        _clear(path)  # a rename replaces anything else
    draft.rename(path)
    return descriptor


def is_private(path: Path) -> bool:
    """Tell whether a FIFO is there that nobody else can open."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISFIFO(status.st_mode) and stat.S_IMODE(status.st_mode) == PRIVATE_FILE


def open_to_write(path: Path) -> int | None:
    """Open a FIFO that somebody reads; None where nobody does, or where none is."""
    return _opened(path, os.O_WRONLY)


def open_to_read(path: Path) -> int | None:
    """Open a FIFO, or give None where none is."""
    return _opened(path, os.O_RDONLY)


def _clear(path: Path) -> None:
    """Make room; a folder may be somebody's, and gets another name."""
    if _is_folder(path):
        path.rename(path.with_name(f"{path.name}.{uuid.uuid4().hex}"))
    else:
        path.unlink(missing_ok=True)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _opened(path: Path, how: int) -> int | None:
    try:
        descriptor = os.open(path, how | _FLAGS)
    except OSError:
        # ENXIO: nobody reads. ENOENT: none was ever here. Anything else: none that could be used.
        return None
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None
