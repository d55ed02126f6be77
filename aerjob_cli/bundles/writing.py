"""Writing a bundle into a file, one part after the other; what says of all files what they are comes last."""

from __future__ import annotations

import contextlib
import json
import time
import zipfile
import zlib
from collections.abc import Iterable
from typing import IO, Any

from aerjob_cli.bundles.layout import FORMAT, GROWTH_ASKED_FROM_BYTES, GROWTH_LIMIT, MANIFEST, VERSION
from aerjob_cli.codec.envelope import begun_sha256
from aerjob_cli.settings import PAYLOAD_LIMIT_BYTES

_FILE_ATTRIBUTES = 0o644 << 16
# Deflate may do better on what it gets in other pieces.
_MARGIN = 2
_ZIP64_FROM_BYTES = 2**31


class BundleWriter:
    """A bundle in the making. Until ``finish`` has returned it is none."""

    def __init__(self, file: IO[bytes]) -> None:
        # A form that only some readers know is used where there is no other: beyond 65,535 files, or 4 GiB.
        self._archive = zipfile.ZipFile(file, "w", allowZip64=True)
        self._files: dict[str, dict[str, Any]] = {}
        self._jobs: list[str] = []
        self._date_time = time.gmtime()[:6]

    def add_job(self, job_id: str, path: str, described: dict[str, Any]) -> None:
        """Add what is said of a job; its other files may come before or after it."""
        self._jobs.append(job_id)
        self.add(path, _text(described))

    def add(self, path: str, data: bytes) -> None:
        """Add a file that is in memory, deflated where that makes it shorter and is allowed."""
        self._write(path, [data], len(data), deflated=_may_be_deflated(data))

    def add_parts(self, path: str, parts: Iterable[bytes], size_bytes: int) -> None:
        """Add a file that comes in parts, as it is."""
        self._write(path, parts, size_bytes, deflated=False)

    def finish(self, about: dict[str, Any]) -> None:
        """Add the manifest, and ``about`` in it, and end the archive."""
        manifest = {"format": FORMAT, "version": VERSION, **about, "jobs": self._jobs, "files": dict(self._files)}
        self._write(MANIFEST, [_text(manifest)], 0, deflated=True)
        self._archive.close()

    def abandon(self) -> None:
        """End what will never be a bundle, whatever has been written of it."""
        # Else the archive tries it when it is collected, and complains.
        with contextlib.suppress(OSError, ValueError):
            self._archive.close()

    def _write(self, path: str, parts: Iterable[bytes], size_bytes: int, *, deflated: bool) -> None:
        info = zipfile.ZipInfo(path, self._date_time)
        info.compress_type = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
        info.external_attr = _FILE_ATTRIBUTES
        checksum = begun_sha256()
        written_bytes = 0
        with self._archive.open(info, "w", force_zip64=size_bytes >= _ZIP64_FROM_BYTES) as file:
            for part in parts:
                checksum.update(part)
                written_bytes += len(part)
                file.write(part)
        self._files[path] = {"sha256": checksum.hexdigest(), "size_bytes": written_bytes}


def _text(value: dict[str, Any]) -> bytes:
    # In ASCII: a text of a job may have what no UTF-8 has.
    try:
        text = json.dumps(value, indent=1, allow_nan=False)
    except RecursionError:
        # With an indent it is Python that writes it, and not C.
        text = json.dumps(value, allow_nan=False)
    return f"{text}\n".encode("ascii")


def _may_be_deflated(data: bytes) -> bool:
    if len(data) <= GROWTH_ASKED_FROM_BYTES:
        return True
    if len(data) > PAYLOAD_LIMIT_BYTES:
        return False
    return len(data) < GROWTH_LIMIT // _MARGIN * len(zlib.compress(data)) and not data.startswith(b"PK")
