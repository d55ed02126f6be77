"""Large results as files: written and made durable by the executor, named and referred to by the worker."""

from __future__ import annotations

import os
import uuid
from pathlib import Path


def write_incoming(folder: Path, data: bytes) -> Path:
    """Write ``data`` into a new private file of ``folder`` and sync it; nothing is left behind on failure.

    The worker syncs the folder, when it has renamed the file. Raises ``OSError``.
    """
    path = folder / uuid.uuid4().hex
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb", buffering=0) as file:
            os.fchmod(descriptor, 0o600)  # whatever the umask
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path
