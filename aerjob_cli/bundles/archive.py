"""A zip archive that may come from anybody: no name in it leads anywhere, and nothing grows beyond what it announces.

Nothing of it is ever written under a name that it gives.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from aerjob_cli.bundles.layout import (
    FILES_LIMIT,
    GROWTH_ASKED_FROM_BYTES,
    GROWTH_LIMIT,
    MANIFEST,
    PATH,
    TEXT_LIMIT_BYTES,
)
from aerjob_cli.errors import BundleRefused, InputRefused

ANOTHER_FILE = "name a file that `aerjob export` wrote"

_READ_AT_ONCE_BYTES = 256 * 1024
_ENCRYPTED = 0x1
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
# What reading an archive can come to that is damaged, or made to look like one.
_ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    IndexError,
)


class Archive:
    """An archive that is open, whose list of files has been looked at; ``name`` is for people."""

    def __init__(self, archive: zipfile.ZipFile, name: str, size_bytes: int) -> None:
        """Look at the list of files; raises ``BundleRefused``."""
        self.name = name
        self._archive = archive
        self._members = self._looked_at(archive.infolist(), size_bytes)

    @property
    def paths(self) -> list[str]:
        """The paths of the files in it."""
        return list(self._members)

    def size_of(self, path: str) -> int | None:
        """Give how many bytes it announces for a file, None where there is none of that path."""
        return self._members[path].file_size if path in self._members else None

    def require_plain(self, path: str) -> None:
        """Refuse a file that is not as those of a bundle are; raises ``BundleRefused``."""
        member = self._members[path]
        if member.flag_bits & _ENCRYPTED or member.compress_type not in _COMPRESSIONS:
            raise self.refused(f"{path!r} is encrypted, or compressed otherwise than by deflate")
        if member.file_size > max(GROWTH_ASKED_FROM_BYTES, GROWTH_LIMIT * member.compress_size):
            raise self.refused(
                f"{path!r} would grow from {member.compress_size} to {member.file_size} bytes, as no bundle has it",
                "get another copy of it, or pack it without compression (`zip -0`) if you have unpacked it",
            )
        if path != MANIFEST and not PATH.fullmatch(path):
            raise self.refused(f"{path!r} is no file of a bundle")
        if (path == MANIFEST or path.endswith("/job.json")) and member.file_size > TEXT_LIMIT_BYTES:
            raise self.refused(f"{path!r} announces {member.file_size} bytes, and may have {TEXT_LIMIT_BYTES}")

    def read(self, path: str) -> Iterator[bytes]:
        """Give a file in parts, never more than the archive announces; raises ``BundleRefused``."""
        left_bytes = self._members[path].file_size
        try:
            with self._archive.open(self._members[path]) as file:
                while part := file.read(min(_READ_AT_ONCE_BYTES, left_bytes)):
                    left_bytes -= len(part)
                    yield part
        except _ARCHIVE_ERRORS as error:
            raise self.refused(f"{path!r} is damaged and cannot be unpacked") from error
        except OSError as error:
            raise _unreadable(self.name, error) from error

    def refused(self, fact: str, remedy: str = "get another copy of it") -> BundleRefused:
        """Give the error of this file."""
        return BundleRefused(self.name, fact, remedy)

    def _looked_at(self, members: list[zipfile.ZipInfo], size_bytes: int) -> dict[str, zipfile.ZipInfo]:
        if len(members) > FILES_LIMIT:
            raise self.refused(f"it has more than {FILES_LIMIT} files", "export fewer jobs at a time")
        found: dict[str, zipfile.ZipInfo] = {}
        compressed_bytes = 0
        for member in members:
            path = member.orig_filename
            self._require_path(path, member)
            if path in found:
                raise self.refused(f"{path!r} is in it twice")
            if path.endswith("/"):
                if member.file_size:
                    raise self.refused(f"{path!r} is a folder with content")
                continue
            compressed_bytes += member.compress_size
            found[path] = member
        if compressed_bytes > size_bytes:
            raise self.refused("its files overlap each other")
        return found

    def _require_path(self, path: str, member: zipfile.ZipInfo) -> None:
        if path.startswith("/") or re.match(r"[A-Za-z]:", path) or "\\" in path:
            raise self.refused(f"the path {path!r} in it is absolute, or has a backslash")
        if ".." in path.split("/"):
            raise self.refused(f"the path {path!r} in it climbs out of its folder")
        names = path.removesuffix("/").split("/")
        if path != member.filename or "" in names or "." in names:
            raise self.refused(f"the path {path!r} in it is none")
        kind = member.external_attr >> 16
        if stat.S_IFMT(kind) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise self.refused(f"{path!r} in it is a link, or something else that is no file")


@contextmanager
def opened_archive(path: str, name: str) -> Iterator[Archive]:
    """Open an archive; ``name`` is its name for people.

    Raises ``BundleRefused``, and ``InputRefused`` for a file that cannot be read.
    """
    with contextlib.ExitStack() as stack:
        try:
            # Without O_NONBLOCK opening a FIFO would wait for its writer.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
            stack.callback(os.close, descriptor)
            found = os.fstat(descriptor)
        except OSError as error:
            raise _unreadable(name, error) from error
        except ValueError as error:  # a NUL in the name
            raise InputRefused(f"{name!r} is not the name of a file; check it", file=name) from error
        if not stat.S_ISREG(found.st_mode):
            raise BundleRefused(name, "it is not a regular file", ANOTHER_FILE)
        try:
            file = stack.enter_context(open(descriptor, "rb", closefd=False))
            archive = stack.enter_context(zipfile.ZipFile(file))
        except _ARCHIVE_ERRORS as error:
            raise BundleRefused(name, "it is no zip archive, or not all of one", ANOTHER_FILE) from error
        except OSError as error:
            raise _unreadable(name, error) from error
        yield Archive(archive, name, found.st_size)


def _unreadable(name: str, error: OSError) -> InputRefused:
    if error.errno == errno.EINVAL:
        # Of a place before the beginning of the file, or beyond any end.
        return BundleRefused(name, "parts of it are not where it says", "get another copy of it")
    return InputRefused(f"{name} cannot be read ({error.strerror}); check its name and permissions", file=name)
