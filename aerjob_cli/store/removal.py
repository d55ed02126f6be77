"""Removing files without waiting for it: of some hundred MB, a file system takes tenths of a second to let go."""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
from pathlib import Path

# Removing these takes some ms.
_LARGE_BYTES = 16 * 2**20


def remove_soon(path: Path, *, aside: Path) -> None:
    """Remove a file. A large one is only given another name, in the folder ``aside``, and gone a little later.

    If this process ends before that, the file lies there as one that was begun and never finished. Raises ``OSError``.
    """
    if path.lstat().st_size < _LARGE_BYTES:
        path.unlink()
        return
    doomed = aside / uuid.uuid4().hex
    path.rename(doomed)
    try:
        threading.Thread(target=_remove, args=(doomed,), name="removal").start()
    except RuntimeError:
        # The system has no room for a thread.
        _remove(doomed)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
