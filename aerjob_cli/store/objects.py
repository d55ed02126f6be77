"""The object folder: bytes too large for the database, named by their checksum.

A file gets its name by rename after it was written and synced, and the reference to it is committed after that, so
that a reference never points at a half file. A file without a reference is only waste, and may be removed whenever
nobody else is in a write transaction (`garbage.py`): whoever commits a reference looks in its own whether the file is
there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Sequence
from pathlib import Path

from aerjob_cli.errors import PayloadDamaged
from aerjob_cli.settings import INLINE_LIMIT_BYTES, StorePaths
from aerjob_cli.store.folder import PRIVATE_FOLDER, open_private, sync_folder
from aerjob_cli.store.records import Payload


def object_path(paths: StorePaths, sha256: str) -> Path:
    """Say where the object with that checksum is."""
    return paths.objects / sha256[:2] / sha256[2:]


def put_if_large(paths: StorePaths, sha256: str, data: bytes) -> bytes | None:
    """Return ``data`` when it belongs into the database; else store it as an object and return None."""
    if len(data) <= INLINE_LIMIT_BYTES:
        return data
    draft = paths.incoming / uuid.uuid4().hex
    descriptor = open_private(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # Over one that is there: these bytes are known to have this checksum, and mend what a disk has damaged.
        folder = _make_folder(paths, sha256)
        draft.rename(object_path(paths, sha256))
        sync_folder(folder)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
        raise
    return None


def put_again(paths: StorePaths, payload: Payload, data: bytes) -> None:
    """Put an object that was removed again after it had been put; for the transaction that will refer to it."""
    if not is_there(paths, payload):
        put_if_large(paths, payload.sha256, data)


def is_there(paths: StorePaths, payload: Payload) -> bool:
    """Tell whether the bytes of a payload are in the database or have a file; their checksum is not looked at."""
    return payload.data is not None or object_path(paths, payload.sha256).is_file()


def adopt(paths: StorePaths, drafts: Sequence[tuple[Path, str]]) -> None:
    """Give written and synced files the names of their checksums, durably; each folder is synced once.

    The checksum is only somebody's word, so that an object of the same size which is there already stays as it is.
    """
    folders: dict[Path, None] = {}
    for draft, sha256 in drafts:
        place = object_path(paths, sha256)
        folders[_make_folder(paths, sha256)] = None
        if place.is_file() and place.stat().st_size == draft.stat().st_size:
            draft.unlink()
            os.utime(place)  # as young as if it had been put now, for `garbage`
        else:
            draft.rename(place)
    for folder in folders:
        sync_folder(folder)


def _make_folder(paths: StorePaths, sha256: str) -> Path:
    folder = object_path(paths, sha256).parent
    if not folder.is_dir():
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        folder.chmod(PRIVATE_FOLDER)
        sync_folder(paths.objects)
    return folder


def load(paths: StorePaths, payload: Payload) -> bytes:
    """Read a payload from wherever it is and check it; raises ``PayloadDamaged`` when it is not what was stored."""
    data = payload.data
    if data is None:
        try:
            data = object_path(paths, payload.sha256).read_bytes()
        except FileNotFoundError:
            raise _damaged(paths, payload, "is missing") from None
    if len(data) != payload.size_bytes or hashlib.sha256(data).hexdigest() != payload.sha256:
        raise _damaged(paths, payload, "does not have the checksum that was stored with it")
    return data


def _damaged(paths: StorePaths, payload: Payload, fact: str) -> PayloadDamaged:
    return PayloadDamaged(
        paths.home,
        f"is damaged: {payload.name!r} ({payload.format}, {payload.size_bytes} bytes) {fact}",
        "restore it from a backup, or run the job again",
    )
