"""The object folder: bytes too large for the database, named by their checksum.

A file gets its name by rename after it was written and synced, and the reference to it is committed after that, so
that a reference never points at a half file. A file without a reference is only waste, and may be removed whenever
nobody else is in a write transaction (`garbage.py`): whoever commits a reference looks in its own whether the file is
there.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import uuid
from collections.abc import Iterable, Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from aerjob_cli.codec.envelope import sha256_hex
from aerjob_cli.errors import PayloadDamaged
from aerjob_cli.settings import INLINE_LIMIT_BYTES, StorePaths
from aerjob_cli.store.early_writing import EarlyWriting
from aerjob_cli.store.folder import PRIVATE_FOLDER, open_private, sync_folder
from aerjob_cli.store.records import Payload
from aerjob_cli.store.removal import remove_soon


def object_path(paths: StorePaths, sha256: str) -> Path:
    """Say where the object with that checksum is."""
    return paths.objects / sha256[:2] / sha256[2:]


def put_if_large(paths: StorePaths, sha256: str, data: bytes) -> bytes | None:
    """Return ``data`` when it belongs into the database; else store it as an object and return None."""
    if len(data) <= INLINE_LIMIT_BYTES:
        return data
    put_parts(paths, sha256, [data])
    return None


def put_parts(paths: StorePaths, sha256: str, parts: Iterable[bytes]) -> None:
    """Store an object from its parts, durably; whatever these raise leaves none. Their checksum is the caller's."""
    draft = paths.incoming / uuid.uuid4().hex
    descriptor = open_private(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with os.fdopen(descriptor, "wb") as file:
            early = EarlyWriting(descriptor)
            for part in parts:
                file.write(part)
                early.note(len(part))
            file.flush()
            os.fsync(file.fileno())
        # Over one that is there: these bytes are known to have this checksum, and mend what a disk has damaged.
        folder = _make_folder(paths, sha256)
        draft.rename(object_path(paths, sha256))
        _sync(paths, [folder])
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
        raise


def put_again(paths: StorePaths, payload: Payload, data: bytes) -> None:
    """Put an object that was removed again after it had been put; for the transaction that will refer to it."""
    if not is_there(paths, payload):
        put_if_large(paths, payload.sha256, data)


def is_there(paths: StorePaths, payload: Payload) -> bool:
    """Tell whether the bytes of a payload are in the database or have a file; their checksum is not looked at."""
    return payload.data is not None or object_size(paths, payload.sha256) is not None


def object_size(paths: StorePaths, sha256: str) -> int | None:
    """Give the size of the file of that checksum, None where there is none; what is in it is not looked at."""
    return _size_of(object_path(paths, sha256))


def adopt(paths: StorePaths, drafts: Sequence[tuple[Path, str]]) -> None:
    """Give written and synced files the names of their checksums, durably; each folder is synced once.

    The checksum is only somebody's word, so that an object of the same size which is there already stays as it is.
    """
    folders: dict[Path, None] = {}
    for draft, sha256 in drafts:
        place = object_path(paths, sha256)
        folders[_make_folder(paths, sha256)] = None
        if _size_of(place) == draft.stat().st_size:
            remove_soon(draft, aside=paths.incoming)
            os.utime(place)  # as young as if it had been put now, for `garbage`
        else:
            draft.rename(place)
    if folders:
        _sync(paths, folders)


def _make_folder(paths: StorePaths, sha256: str) -> Path:
    folder = object_path(paths, sha256).parent
    if not folder.is_dir():
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        folder.chmod(PRIVATE_FOLDER)
    return folder


def _sync(paths: StorePaths, folders: Iterable[Path]) -> None:
    for folder in folders:
        sync_folder(folder)
    # Also where they were there: who made one may have been killed before it came to this.
    sync_folder(paths.objects)


def load(paths: StorePaths, payload: Payload) -> bytes:
    """Read a payload from wherever it is and check it; raises ``PayloadDamaged`` when it is not what was stored."""
    data = payload.data
    if data is None:
        try:
            data = read_object(object_path(paths, payload.sha256), payload.size_bytes)
        except FileNotFoundError:
            raise damaged(paths, payload, "is missing") from None
        except OSError as error:
            raise damaged(paths, payload, f"cannot be read ({error.strerror})") from error
    if len(data) != payload.size_bytes or sha256_hex(data) != payload.sha256:
        raise damaged(paths, payload, "does not have the checksum that was stored with it")
    return data


@contextlib.contextmanager
def opened(paths: StorePaths, payload: Payload) -> Iterator[BinaryIO]:
    """Give a payload to be read piece by piece, its checksum verified; raises ``PayloadDamaged``.

    A large one is never in memory as a whole.
    """
    if payload.data is not None:
        yield io.BytesIO(load(paths, payload))
        return
    import hashlib  # not for those who hash nothing: it loads OpenSSL

    with opened_unverified(paths, payload) as raw:
        file = io.BufferedReader(raw)
        if hashlib.file_digest(file, "sha256").hexdigest() != payload.sha256:
            raise damaged(paths, payload, "does not have the checksum that was stored with it")
        file.seek(0)
        yield file


@contextlib.contextmanager
def opened_unverified(paths: StorePaths, payload: Payload) -> Iterator[FileIO]:
    """Give the file of a large payload, which has its size; raises ``PayloadDamaged``. The checksum is the caller's."""
    try:
        file = open(open_object(object_path(paths, payload.sha256)), "rb", buffering=0)  # noqa: SIM115 - closed below
    except FileNotFoundError:
        raise damaged(paths, payload, "is missing") from None
    except OSError as error:
        raise damaged(paths, payload, f"cannot be read ({error.strerror})") from error
    with file:
        found_bytes = os.fstat(file.fileno()).st_size
        if found_bytes != payload.size_bytes:
            # Not read: whatever it has become may be of any size.
            raise damaged(paths, payload, f"cannot be read (it has {found_bytes} bytes)")
        yield file


def open_object(place: Path) -> int:
    """Open an object's file for reading; raises ``OSError`` for a link, a pipe, or whatever else is no file."""
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "not a regular file", str(place))


def read_object(place: Path, size_bytes: int) -> bytes:
    """Read an object's file, which must have that size; raises ``OSError``. The checksum is the caller's to verify."""
    with open(open_object(place), "rb", buffering=0) as file:
        found_bytes = os.fstat(file.fileno()).st_size
        if found_bytes != size_bytes:
            # Not read: whatever it has become may be of any size.
            raise OSError(errno.EINVAL, f"it has {found_bytes} bytes", str(place))
        return file.readall()


def _size_of(place: Path) -> int | None:
    """Give the size of a regular file, None where there is none."""
    try:
        found = place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def damaged(paths: StorePaths, payload: Payload, fact: str) -> PayloadDamaged:
    """Give the error of a payload that is not what was stored."""
    return PayloadDamaged(
        paths.home,
        f"is damaged: {payload.name!r} ({payload.format}, {payload.size_bytes} bytes) {fact}",
        "restore it from a backup, or run the job again",
    )
