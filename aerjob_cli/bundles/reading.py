"""Reading a bundle that may come from anybody: nothing in it is believed that has not been compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aerjob_cli.bundles.archive import ANOTHER_FILE, Archive, opened_archive
from aerjob_cli.bundles.fields import Fields, NotAsItShouldBe, parsed
from aerjob_cli.bundles.jobs import BundledJob, job_in
from aerjob_cli.bundles.layout import (
    FILES_LIMIT,
    FORMAT,
    JOB_ID,
    MANIFEST,
    TEXT_LIMIT_BYTES,
    VERSION,
    job_path,
)
from aerjob_cli.codec.envelope import begun_sha256
from aerjob_cli.errors import BundleRefused

_SHA256 = re.compile(r"[0-9a-f]{64}")
_BYTES_LIMIT = 2**60


class Bundle:
    """A bundle that is open, whose manifest fits what is in it; ``name`` is for people."""

    def __init__(self, archive: Archive) -> None:
        """Look at the manifest, and whether the files are those that it names; raises ``BundleRefused``."""
        self.name = archive.name
        self._archive = archive
        if archive.size_of(MANIFEST) is None:
            raise self.refused(f"it has no {MANIFEST}", ANOTHER_FILE)
        archive.require_plain(MANIFEST)
        with self._told(MANIFEST):
            manifest = parsed(b"".join(archive.read(MANIFEST)))
        # Before all that another version may have otherwise.
        self._require_version(manifest)
        for path in archive.paths:
            archive.require_plain(path)
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
        return self._archive.refused(fact, remedy)

    def _require_version(self, manifest: Mapping[str, Any]) -> None:
        if manifest.get("format") != FORMAT:
            raise self.refused(f"its {MANIFEST} is not that of a bundle", ANOTHER_FILE)
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
            found_bytes = self._archive.size_of(path)
            if found_bytes is None:
                raise self.refused(f"{path!r} is missing, which its manifest names")
            if found_bytes != size_bytes:
                raise self.refused(f"{path!r} has {found_bytes} bytes instead of {size_bytes}")
        for path in self._archive.paths:
            if path != MANIFEST and path not in self._files:
                raise self.refused(f"its manifest does not name {path!r}")
        for job_id in self.job_ids:
            if job_path(job_id) not in self._files:
                raise self.refused(f"{job_path(job_id)!r} is missing")

    def _verified(self, path: str) -> Iterator[bytes]:
        sha256, size_bytes = self._files[path]
        checksum = begun_sha256()
        read_bytes = 0
        for part in self._archive.read(path):
            read_bytes += len(part)
            checksum.update(part)
            yield part
        if read_bytes != size_bytes or checksum.hexdigest() != sha256:
            raise self.refused(f"{path!r} does not have the checksum that its manifest says")

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
    with opened_archive(path, name) as archive:
        yield Bundle(archive)
