"""Large files on their way to the disk: little of them waits at a time, so that others' syncs need not wait for much.

A sync of some hundred MB holds up every other one of the same file system for tenths of a second: a worker's commits,
and all that waits for these. Linux is told to begin with each part as it is written, and waited for before there are
more than two of them; elsewhere nothing is done here.
"""

from __future__ import annotations

import errno
import os
import sys

_PART_BYTES = 8 * 2**20
# sync_file_range(2)
_WAIT_BEFORE = 1
_WRITE = 2
# A kernel, a file system or a sandbox without it, which takes nothing from the file.
_UNKNOWN = frozenset({errno.ENOSYS, errno.EINVAL, errno.ESPIPE, errno.EPERM, errno.EOPNOTSUPP})


class EarlyWriting:
    """The file of one descriptor, which is written from its beginning to its end, and synced after that."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._written_bytes = 0
        self._begun_bytes = 0
        self._on_disk_bytes = 0
        self._is_known = sys.platform == "linux"

    def note(self, written_bytes: int) -> None:
        """Take in that so many more bytes were written.

        Raises ``OSError`` when earlier ones could not be put on the disk: of that the sync will not tell again.
        """
        self._written_bytes += written_bytes
        if self._written_bytes - self._begun_bytes < _PART_BYTES:
            return
        self._sync_range(self._begun_bytes, self._written_bytes, _WRITE)
        self._sync_range(self._on_disk_bytes, self._begun_bytes, _WAIT_BEFORE)
        self._on_disk_bytes, self._begun_bytes = self._begun_bytes, self._written_bytes

    def _sync_range(self, start: int, stop: int, how: int) -> None:
        # 0 bytes would mean all of the file.
        if not self._is_known or start == stop:
            return
        # Most files are small, and never need this.
        import ctypes

        system = ctypes.CDLL(None, use_errno=True)
        offset, length = ctypes.c_int64(start), ctypes.c_int64(stop - start)
        if system.sync_file_range(self._descriptor, offset, length, ctypes.c_uint(how)) == 0:
            return
        code = ctypes.get_errno()
        if code not in _UNKNOWN:
            raise OSError(code, os.strerror(code))
        self._is_known = False
