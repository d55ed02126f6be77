"""What lies in the object folder, and what the rows refer to there: two lists that need not be the same.

A reference without a file is damage. A file without a reference is waste, or a reference that is yet to be committed.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import CompoundSelect, Connection, select, union

from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.parts import in_parts
from aerjob_cli.store.tables import experiment_arrays, experiments, payloads

TABLES_WITH_BYTES = (payloads, experiments, experiment_arrays)
# Below SQLite's limit of parameters in any build.
_SHA256_DIGITS = 64
_FOLDER_DIGITS = 2
# A worker's executors have a folder for each, in one for the worker.
_FOLDERS_OF_DRAFTS = 2
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A regular file of the object folder. ``modified_s`` are seconds since 1970; drafts have no ``sha256``."""

    path: Path
    sha256: str | None
    size_bytes: int
    modified_s: float
    mode: int
    owner: int


def is_sha256(text: str) -> bool:
    """Tell whether a text is a checksum as they are written here."""
    return len(text) == _SHA256_DIGITS and _HEX.issuperset(text)


def object_files(paths: StorePaths) -> Iterator[StoredFile]:
    """Give the files that are named as objects are; whatever else lies there is not ours to judge."""
    for folder in _scan(paths.objects):
        if len(folder.name) == _FOLDER_DIGITS and folder.is_dir(follow_symlinks=False):
            for entry in _scan(Path(folder.path)):
                if is_sha256(folder.name + entry.name):
                    yield from _file(entry, folder.name + entry.name)


def draft_files(paths: StorePaths) -> Iterator[StoredFile]:
    """Give the files that are still being written, or that nobody will ever finish."""
    for entry in _scan(paths.incoming):
        yield from _draft(entry, _FOLDERS_OF_DRAFTS)


def referenced(tx: Connection, sha256s: Sequence[str] | None = None) -> set[str]:
    """Give those of the checksums, or all, that rows refer to in the object folder."""
    if sha256s is None:
        return set(tx.execute(_references()).scalars())
    found: set[str] = set()
    for part in in_parts(sha256s):
        found.update(tx.execute(_references(part)).scalars())
    return found


def _references(sha256s: Sequence[str] | None = None) -> CompoundSelect[Any]:
    # "data IS NULL" is what lets the small indexes of references answer.
    queries = []
    for table in TABLES_WITH_BYTES:
        query = select(table.c.sha256).where(table.c.data.is_(None))
        queries.append(query if sha256s is None else query.where(table.c.sha256.in_(sha256s)))
    return union(*queries)


def _draft(entry: os.DirEntry[str], folders: int) -> Iterator[StoredFile]:
    if folders and entry.is_dir(follow_symlinks=False):
        for below in _scan(Path(entry.path)):
            yield from _draft(below, folders - 1)
    else:
        yield from _file(entry, None)


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _file(entry: os.DirEntry[str], sha256: str | None) -> Iterator[StoredFile]:
    # Whoever writes or removes files meanwhile is no fault.
    with contextlib.suppress(FileNotFoundError):
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISREG(status.st_mode):
            yield StoredFile(
                Path(entry.path), sha256, status.st_size, status.st_mtime, stat.S_IMODE(status.st_mode), status.st_uid
            )
