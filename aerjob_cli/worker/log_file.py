"""The file `worker.log`: every worker of a store appends to it, and the one that holds the store rotates it.

A log is of no importance beside the jobs: what cannot be written is left out and counted, and nothing is raised.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from aerjob_cli.store.folder import open_private

ROTATE_BYTES = 5 * 2**20
KEPT = 3
_STDOUT, _STDERR = 1, 2


class LogFile(logging.Handler):
    """Appends lines, each with one write, so that those of several processes do not mix."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.may_rotate = False
        self._path = path
        self._descriptor: int | None = None
        self._left_out = 0
        with contextlib.suppress(OSError):
            self._reopen()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._settle()
            if self._left_out:
                self._write(f"\n({self._left_out} lines before this one could not be written)\n")
                self._left_out = 0
            self._write(f"{self.format(record)}\n")
        except OSError:
            self._left_out += 1

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        super().close()

    def _write(self, text: str) -> None:
        assert self._descriptor is not None
        os.write(self._descriptor, text.encode("utf-8", errors="backslashreplace"))

    def _settle(self) -> None:
        """Be at the end of the file that has the name now, and below its limit."""
        if not self._has_the_name():
            self._reopen()
        elif self.may_rotate and self._descriptor is not None and os.fstat(self._descriptor).st_size >= ROTATE_BYTES:
            # Where the names cannot be changed, one long file is better than none.
            with contextlib.suppress(OSError):
                rotate(self._path)
                self._reopen()

    def _has_the_name(self) -> bool:
        if self._descriptor is None:
            return False
        try:
            return _identity(os.stat(self._path)) == _identity(os.fstat(self._descriptor))
        except FileNotFoundError:
            return False

    def _reopen(self) -> None:
        opened = open_private(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        before, self._descriptor = self._descriptor, opened
        if before is None:
            return
        # What this process was started with as its output: Python's own words end there. The template keeps the file
        # it was given, under its new name: it writes a line or two in its life.
        for standard in (_STDOUT, _STDERR):
            with contextlib.suppress(OSError):
                if _identity(os.fstat(standard)) == _identity(os.fstat(before)):
                    os.dup2(opened, standard)
        os.close(before)


def rotate(path: Path) -> None:
    """Give `worker.log` the name `worker.log.1`, that one `worker.log.2`, and drop the one after the last."""
    for number in range(KEPT, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        newer = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        with contextlib.suppress(FileNotFoundError):
            newer.rename(older)


def is_stderr(path: Path) -> bool:
    """Tell whether the standard error of this process is the file of that name."""
    try:
        return _identity(os.fstat(_STDERR)) == _identity(os.stat(path))
    except OSError:
        return False


def stderr_is_journal(environment: dict[str, str] | os._Environ[str]) -> bool:
    """Tell whether the standard error goes to systemd's journal (``JOURNAL_STREAM``, systemd.exec(5))."""
    device, _, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    try:
        return (int(device), int(inode)) == _identity(os.fstat(_STDERR))
    except (OSError, ValueError):
        return False


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
