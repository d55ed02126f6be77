"""Large results as files: written and made durable by the executor, named and referred to by the worker."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from aerjob_cli.store.early_writing import EarlyWriting

# What is written has just been hashed, and is then still in the processor's cache.
_WRITTEN_AT_ONCE_BYTES = 256 * 1024


@dataclass(frozen=True)
class Draft:
    """A written and synced file that has no name yet."""

    path: Path
    sha256: str
    size_bytes: int


def write_incoming(folder: Path, parts: Iterable[bytes | memoryview]) -> Draft:
    """Write ``parts`` into a new private file of ``folder`` and sync it; nothing is left behind on failure.

    The bytes are hashed on their way, without another copy of them. The worker syncs the folder, when it has renamed
    the file. Raises ``OSError``.
    """
    path = folder / uuid.uuid4().hex
    checksum = hashlib.sha256()
    size_bytes = 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb", buffering=0) as file:
            os.fchmod(descriptor, 0o600)  # whatever the umask
            early = EarlyWriting(descriptor)
            for part in parts:
                view = memoryview(part)
                size_bytes += view.nbytes
                for start in range(0, view.nbytes, _WRITTEN_AT_ONCE_BYTES):
                    rest = view[start : start + _WRITTEN_AT_ONCE_BYTES]
                    checksum.update(rest)
                    while rest:
                        written_bytes = file.write(rest)
                        early.note(written_bytes)
                        rest = rest[written_bytes:]
            os.fsync(descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Draft(path, checksum.hexdigest(), size_bytes)
