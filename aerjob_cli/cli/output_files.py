"""The file that an answer goes to with ``-o``: there whole or not at all, and never in place of another unasked.

The bytes are written to a hidden file in the same folder, synced, and given their name last.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import uuid
from collections.abc import Callable, Iterable
from typing import IO

from aerjob_cli.cli.cleaning import clean
from aerjob_cli.errors import OutputExists, OutputLost, OutputUnwritable
from aerjob_cli.frozen import dataclass
from aerjob_cli.store.early_writing import EarlyWriting

STDOUT = "-"

# A user's file: what the umask leaves of it.
_MODE = 0o666
# These file systems know no hard links, by which a name is taken only if it is free.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@dataclass(frozen=True)
class OutputFile:
    """A place for one answer. ``path`` has symbolic links resolved, ``name`` is for people."""

    path: str
    name: str
    is_replaced: bool

    def write(self, parts: Iterable[bytes]) -> None:
        """Write the file, durably; leave nothing behind on failure. Raises as ``fill``."""

        def write_all(file: IO[bytes]) -> None:
            early = EarlyWriting(file.fileno())
            for part in parts:
                file.write(part)
                early.note(len(part))

        self.fill(write_all)

    def fill(self, write: Callable[[IO[bytes]], None]) -> None:
        """Have something written into the file, durably; leave nothing behind on failure.

        Raises ``OutputExists``, ``OutputLost`` where there is no room, and ``OutputUnwritable``.
        """
        draft = os.path.join(os.path.dirname(self.path), f".aerjob-{uuid.uuid4().hex}.part")
        try:
            try:
                self._write_draft(draft, write)
                self._name(draft)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(draft)
        except FileExistsError:
            raise OutputExists(self.name) from None
        except OSError as error:
            fact = error.strerror or str(error)
            if error.errno in _NO_ROOM:
                raise OutputLost(f"{self.name}: {fact}") from error
            raise OutputUnwritable(self.name, fact) from error
        # The file is whole and named; that a file system cannot sync a folder takes nothing from it.
        with contextlib.suppress(OSError):
            _sync_folder(os.path.dirname(self.path))

    def _write_draft(self, draft: str, write: Callable[[IO[bytes]], None]) -> None:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())

    def _name(self, draft: str) -> None:
        if self.is_replaced:
            os.replace(draft, self.path)
            return
        try:
            os.link(draft, self.path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if os.path.lexists(self.path):
                raise FileExistsError from None
            os.rename(draft, self.path)


def output_file(path: str | None, *, force: bool) -> OutputFile | None:
    """Check that a file can be written there, before any work is done for it; None and ``-`` mean stdout.

    Raises ``OutputExists`` or ``OutputUnwritable``.
    """
    if path is None or path == STDOUT:
        return None
    name = clean(os.fsencode(path).decode("utf-8", errors="replace"))
    if not path:
        raise OutputUnwritable("''", "it is not the name of a file", "name one")
    place = os.path.realpath(path)
    try:
        _check(place, name, force=force)
    except OSError as error:
        raise OutputUnwritable(name, f"{error.strerror or error}") from error
    if path.endswith(os.sep):
        raise OutputUnwritable(name, "it is the name of a folder", "name a file")
    return OutputFile(place, name, force)


def _check(place: str, name: str, *, force: bool) -> None:
    folder = os.path.dirname(place)
    if not os.path.isdir(folder):
        raise OutputUnwritable(name, "there is no such folder", "make it, or choose another place")
    try:
        mode = os.lstat(place).st_mode
    except FileNotFoundError:
        pass
    else:
        if stat.S_ISDIR(mode):
            raise OutputUnwritable(name, "it is a folder", "name a file")
        if stat.S_ISLNK(mode):
            raise OutputUnwritable(name, "it is a circle of symbolic links")
        if not stat.S_ISREG(mode):
            # To replace /dev/null would harm everybody on the machine.
            raise OutputUnwritable(name, "it is a device or a pipe", "name a file, or write to stdout with `-o -`")
        if not force:
            raise OutputExists(name)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputUnwritable(name, "the folder does not allow it")


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
