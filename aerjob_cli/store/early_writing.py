"""Large files on their way to the disk: begun to be written early, so that the sync at the end finds little left.

A sync of some hundred MB holds up every other one of the same file system for tenths of a second, a worker's commits
and what waits for them among these.
"""

from __future__ import annotations

import contextlib
import os

_BEGUN_AT_ONCE_BYTES = 8 * 2**20


class EarlyWriting:
    """The file of one descriptor, as it is written from its beginning to its end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._begun_bytes = 0
        self._written_bytes = 0

    def note(self, written_bytes: int) -> None:
        """Take in that so many more bytes were written; now and then have the system begin to put them on the disk."""
        self._written_bytes += written_bytes
        waiting_bytes = self._written_bytes - self._begun_bytes
        if waiting_bytes < _BEGUN_AT_ONCE_BYTES:
            return
        if hasattr(os, "posix_fadvise"):
            # Said of what is still to be written it does not wait, and takes nothing from memory (posix_fadvise(2)):
            # Linux begins to write. That a file system knows no such thing takes nothing from the file.
            with contextlib.suppress(OSError):
                os.posix_fadvise(self._descriptor, self._begun_bytes, waiting_bytes, os.POSIX_FADV_DONTNEED)
        self._begun_bytes = self._written_bytes
