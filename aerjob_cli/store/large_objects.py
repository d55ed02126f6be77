"""Reading payloads of any size: in parts that are never in memory together, or into one buffer and no other."""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Iterator
from typing import BinaryIO

from aerjob_cli.codec.envelope import begun_sha256
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.objects import damaged, load, opened, opened_unverified
from aerjob_cli.store.records import Payload

# What is hashed has just been read, and is then still in the processor's cache.
_READ_AT_ONCE_BYTES = 256 * 1024


def parts(paths: StorePaths, payload: Payload, *, verified_first: bool) -> Iterator[bytes]:
    """Give a payload in parts; raises ``PayloadDamaged`` before the first part, or else instead of the end.

    ``verified_first`` is for who cannot take back what was given; it reads a large payload twice.
    """
    if payload.data is not None:
        yield load(paths, payload)
    elif verified_first:
        with opened(paths, payload) as file:
            yield from _read(paths, payload, file)
    else:
        checksum = begun_sha256()
        with opened_unverified(paths, payload) as file:
            for part in _read(paths, payload, file):
                checksum.update(part)
                yield part
        _require(paths, payload, checksum.hexdigest())


def load_apart(paths: StorePaths, payload: Payload) -> bytes | mmap.mmap:
    """Read a payload and check it; raises ``PayloadDamaged``.

    A large one comes in memory of its own that can be written to, and that goes back to the system with it.
    """
    if payload.data is not None:
        return load(paths, payload)
    with opened_unverified(paths, payload) as file:
        content = mmap.mmap(-1, payload.size_bytes)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            with contextlib.suppress(OSError):  # of a system without them
                content.madvise(mmap.MADV_HUGEPAGE)
        checksum = begun_sha256()
        with memoryview(content) as view:
            start = 0
            while start < payload.size_bytes:
                with view[start : start + _READ_AT_ONCE_BYTES] as room:
                    with _told(paths, payload):
                        read_bytes = file.readinto(room)
                    if not read_bytes:
                        break
                    checksum.update(room[:read_bytes])
                    start += read_bytes
    _require(paths, payload, checksum.hexdigest())
    return content


def _read(paths: StorePaths, payload: Payload, file: BinaryIO) -> Iterator[bytes]:
    while True:
        with _told(paths, payload):
            part = file.read(_READ_AT_ONCE_BYTES)
        if not part:
            return
        yield part


@contextlib.contextmanager
def _told(paths: StorePaths, payload: Payload) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise damaged(paths, payload, f"cannot be read ({error.strerror})") from error


def _require(paths: StorePaths, payload: Payload, sha256: str) -> None:
    if sha256 != payload.sha256:
        raise damaged(paths, payload, "does not have the checksum that was stored with it")
