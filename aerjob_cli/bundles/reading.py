"""Reading a bundle that may come from anybody: nothing is believed that has not been compared, nothing grows unasked.

Nothing of a bundle is ever written under a name that it gives.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aerjob_cli.bundles.fields import Fields, NotAsItShouldBe, parsed
from aerjob_cli.bundles.jobs import BundledJob, job_in
from aerjob_cli.bundles.layout import (
    FILES_LIMIT,
    FORMAT,
    GROWTH_ASKED_FROM_BYTES,
    GROWTH_LIMIT,
    JOB_ID,
    MANIFEST,
    PATH,
    TEXT_LIMIT_BYTES,
    VERSION,
    job_path,
)
from aerjob_cli.codec.envelope import begun_sha256
from aerjob_cli.errors import BundleRefused, InputRefused

_READ_AT_ONCE_BYTES = 256 * 1024
_ENCRYPTED = 0x1
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BYTES_LIMIT = 2**60
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


class Bundle:
    """A bundle that is open, whose list of files has been looked at; ``name`` is for people."""

    def __init__(self, archive: zipfile.ZipFile, name: str, size_bytes: int) -> None:
        """Look at the list of files and the manifest; raises ``BundleRefused``."""
        self.name = name
        self._archive = archive
        self._members = self._looked_at(archive.infolist(), size_bytes)
        if MANIFEST not in self._members:
            raise self.refused(f"it has no {MANIFEST}", "name a file that `aerjob export` wrote")
        self._require_plain(MANIFEST)
        manifest = self._parsed(MANIFEST, self._text(MANIFEST))
        # Before all that another version may have otherwise.
        self._require_version(manifest)
        for path in self._members:
            self._require_plain(path)
        with self._told(MANIFEST):
            fields = Fields(manifest)
            self.origin = {
                key: fields.optional(key, fields.text) for key in ("aerjob", "host", "store_uuid", "created_at")
            }
            self.job_ids = self._ids(fields)
            self._files = self._declared(fields.plain("files", TEXT_LIMIT_BYTES))
        self._require_same_files()

    @property
    def unpacked_bytes(self) -> int:
        """How many bytes all its files have."""
        return sum(size_bytes for _, size_bytes in self._files.values())

    def job(self, job_id: str) -> BundledJob:
        """Read what is said of a job, verified; raises ``BundleRefused``."""
        path = job_path(job_id)
        data = b"".join(self._verified(path))
        with self._told(path):
            found = job_in(parsed(data), job_id)
        for file in found.files:
            if self._files.get(file.path) != (file.sha256, file.size_bytes):
                raise self.refused(f"{path} says of {file.path} what the manifest does not")
        return found

    def parts(self, path: str, sha256: str) -> Iterator[bytes]:
        """Give a file in parts; raises ``BundleRefused`` instead of the end where it is not what was looked at."""
        if self._files.get(path, ("", 0))[0] != sha256:
            raise self.refused(f"{path} has changed since it was looked at")
        yield from self._verified(path)

    def data(self, path: str, sha256: str) -> bytes:
        """Give a file as a whole; raises ``BundleRefused``."""
        return b"".join(self.parts(path, sha256))

    def verify(self) -> Iterator[str]:
        """Read all files, and give the path of each whose checksum is right; raises ``BundleRefused``."""
        for path in self._files:
            for _ in self._verified(path):
                pass
            yield path

    def require_all_named(self, named: set[str]) -> None:
        """Refuse a bundle that has files which belong to no job; ``named`` are those that jobs have."""
        for path in self._files:
            if path not in named:
                raise self.refused(f"{path} belongs to no job in it")

    def refused(self, fact: str, remedy: str = "get another copy of it") -> BundleRefused:
        """Give the error of this bundle."""
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

    def _require_plain(self, path: str) -> None:
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

    def _require_version(self, manifest: Mapping[str, Any]) -> None:
        if manifest.get("format") != FORMAT:
            raise self.refused(f"its {MANIFEST} is not that of a bundle", "name a file that `aerjob export` wrote")
        version = manifest.get("version")
        if type(version) is not int or version < 1:
            raise self.refused(f"its version is {version!r}, which is none")
        if version > VERSION:
            raise self.refused(
                f"it has version {version} of the format, and this aerjob reads up to {VERSION}", "update aerjob"
            )

    def _ids(self, fields: Fields) -> tuple[str, ...]:
        found = fields.items("jobs", FILES_LIMIT)
        for job_id in found:
            if not isinstance(job_id, str) or not JOB_ID.fullmatch(job_id):
                raise NotAsItShouldBe(f"jobs has {job_id!r}, which is not the id of a job")
        if not found or len(set(found)) != len(found):
            raise NotAsItShouldBe("jobs has no id, or one twice")
        return tuple(found)

    def _declared(self, files: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
        declared = {}
        for path, about in files.items():
            fields = Fields(about, f"files[{path!r}]")
            sha256 = fields.matching("sha256", _SHA256, "a SHA-256 in hexadecimal digits")
            declared[path] = sha256, fields.whole("size_bytes", 0, _BYTES_LIMIT)
        return declared

    def _require_same_files(self) -> None:
        """Compare what is in the archive with what the manifest says."""
        for path, (_, size_bytes) in self._files.items():
            if path not in self._members:
                raise self.refused(f"{path!r} is missing, which its manifest names")
            if (found_bytes := self._members[path].file_size) != size_bytes:
                raise self.refused(f"{path!r} has {found_bytes} bytes instead of {size_bytes}")
        for path in self._members:
            if path != MANIFEST and path not in self._files:
                raise self.refused(f"its manifest does not name {path!r}")
        for job_id in self.job_ids:
            if job_path(job_id) not in self._files:
                raise self.refused(f"{job_path(job_id)!r} is missing")

    def _verified(self, path: str) -> Iterator[bytes]:
        sha256, size_bytes = self._files[path]
        checksum = begun_sha256()
        read_bytes = 0
        for part in self._read(path):
            read_bytes += len(part)
            checksum.update(part)
            yield part
        if read_bytes != size_bytes or checksum.hexdigest() != sha256:
            raise self.refused(f"{path!r} does not have the checksum that its manifest says")

    def _text(self, path: str) -> bytes:
        return b"".join(self._read(path))

    def _read(self, path: str) -> Iterator[bytes]:
        # Never more than the archive announces, which has been looked at.
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

    def _parsed(self, path: str, data: bytes) -> dict[str, Any]:
        with self._told(path):
            return parsed(data)

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        try:
            yield
        except NotAsItShouldBe as error:
            raise self.refused(f"{path} is not as it should be ({error})") from error


@contextmanager
def opened_bundle(path: str, name: str) -> Iterator[Bundle]:
    """Open a bundle; ``name`` is its name for people.

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
            raise BundleRefused(name, "it is not a regular file", "name a file that `aerjob export` wrote")
        try:
            file = stack.enter_context(open(descriptor, "rb", closefd=False))
            archive = stack.enter_context(zipfile.ZipFile(file))
        except _ARCHIVE_ERRORS as error:
            raise BundleRefused(
                name, "it is no zip archive, or not all of one", "name a file that `aerjob export` wrote, all of it"
            ) from error
        except OSError as error:
            raise _unreadable(name, error) from error
        yield Bundle(archive, name, found.st_size)


def _unreadable(name: str, error: OSError) -> InputRefused:
    if error.errno == errno.EINVAL:
        # Of a place before the beginning of the file, or beyond any end.
        return BundleRefused(name, "parts of it are not where it says", "get another copy of it")
    return InputRefused(f"{name} cannot be read ({error.strerror}); check its name and permissions", file=name)
