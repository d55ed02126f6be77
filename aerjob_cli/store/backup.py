"""A backup: a store of its own in another folder, consistent, complete and ready for use, made beside a worker.

* It is built under another name beside its place and renamed at the end, so that it is whole or not there.
* The database is that of one instant; then the objects follow that its rows refer to, which nobody removes meanwhile.
  They are copied, not linked: a file shared by both would be damaged in both.
* Each object is verified while it is copied. One that is damaged keeps nobody from a backup of the rest: it is copied
  as it is, and reported.
* The copy is independent of the original (`independence.py`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from aerjob_cli.errors import StoreDamaged, StoreFull
from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.backup_place import checked_place, draft_beside, no_room, writing_to
from aerjob_cli.store.copying import copy_database, faults_of_file
from aerjob_cli.store.database import Store
from aerjob_cli.store.early_writing import EarlyWriting
from aerjob_cli.store.faults import told
from aerjob_cli.store.folder import PRIVATE_FOLDER, open_private, sync_file, sync_folder
from aerjob_cli.store.garbage import objects_kept
from aerjob_cli.store.independence import make_independent
from aerjob_cli.store.inventory import is_sha256, referenced
from aerjob_cli.store.objects import object_path, open_object
from aerjob_cli.store.tables import jobs

# Told what is being copied, how much of it is done and how much there is, in what unit whatever.
OnCopied = Callable[[str, int, int], None]

_BLOCK_BYTES = 1 << 20
# Another backup of this store, or a removal of old files, ends within this time or is a long one.
_OTHERS_TAKE_AT_MOST_S = 60.0


@dataclass(frozen=True)
class Backup:
    """What was copied where. ``damaged`` are objects that were not what they should be, as sentences."""

    path: Path
    jobs: int
    objects: int
    size_bytes: int
    damaged: tuple[str, ...]


def back_up(store: Store, destination: Path, *, on_copied: OnCopied = lambda *_: None) -> Backup:
    """Make a backup of a store in a folder that does not exist yet, or is empty.

    Raises ``BackupMisplaced``, ``BackupFailed``, or ``StoreUnusable`` when it is the store that cannot be read; then
    nothing is left at the destination.
    """
    place = checked_place(store.paths.home, destination)
    try:
        with _kept(store.paths), draft_beside(place) as draft:
            made = _build(store, draft, place, on_copied)
            with writing_to(place):
                draft.home.rename(place)
                sync_folder(place.parent)
    except StoreFull as error:
        # The original is only read.
        raise no_room(place) from error
    return made


def _build(store: Store, draft: StorePaths, place: Path, on_copied: OnCopied) -> Backup:
    # It gets the name of a database when it is one of its own: whoever finds the draft of a killed process, and takes
    # it for a store, finds none, or one that lacks nothing but object files.
    nameless = draft.database.with_name(f"{draft.database.name}.draft")
    with told(store.paths.database):
        store.require_present()
        with writing_to(place):
            copy_database(
                store.paths.database,
                nameless,
                on_pages=lambda left, total: on_copied("database", total - left, total),
            )
        if found := faults_of_file(nameless):
            raise StoreDamaged(
                store.paths.database, f"is damaged ({found[0]})", "run `aerjob store check`; no backup was made"
            )
    with told(nameless):
        make_independent(nameless, now_us=store.now_us())
        nameless.rename(draft.database)
    with told(draft.database):
        copy = Store.open(draft, clock=store.clock)
        try:
            with copy.reading() as tx:
                jobs_total = tx.execute(select(func.count()).select_from(jobs)).scalar_one()
                references = sorted(filter(is_sha256, referenced(tx)))
        finally:
            copy.close()
    size_bytes, damaged = 0, []
    for number, sha256 in enumerate(references):
        on_copied("objects", number, len(references))
        copied_bytes, fault = _copy_object(store.paths, draft, sha256, place)
        size_bytes += copied_bytes
        if fault is not None:
            damaged.append(fault)
    store.require_present()
    with writing_to(place):
        sync_file(draft.database)
        for folder in (*draft.objects.iterdir(), draft.objects, draft.home):
            sync_folder(folder)
        size_bytes += draft.database.stat().st_size
    return Backup(place, jobs_total, len(references), size_bytes, tuple(damaged))


def _copy_object(source: StorePaths, draft: StorePaths, sha256: str, place: Path) -> tuple[int, str | None]:
    """Copy an object as it is; give its size, and what is wrong with it if anything is."""
    original, target = object_path(source, sha256), object_path(draft, sha256)
    named = original.relative_to(source.home)
    with contextlib.ExitStack() as stack:
        try:
            reading = stack.enter_context(open(open_object(original), "rb", buffering=0))
        except OSError as error:
            return 0, f"{named} cannot be read ({error.strerror})"
        with writing_to(place):
            target.parent.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            target.parent.chmod(PRIVATE_FOLDER)
            writing = stack.enter_context(
                open(open_private(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb", buffering=0)
            )
        digest, size_bytes = hashlib.sha256(), 0
        early = EarlyWriting(writing.fileno())
        while True:
            try:
                block = reading.read(_BLOCK_BYTES)
            except OSError as error:
                return size_bytes, f"{named} cannot be read to its end ({error.strerror})"
            if not block:
                break
            digest.update(block)
            size_bytes += len(block)
            with writing_to(place):
                _write_all(writing.fileno(), block)
            early.note(len(block))
        with writing_to(place):
            os.fchmod(writing.fileno(), 0o600)
            os.fsync(writing.fileno())
    return size_bytes, None if digest.hexdigest() == sha256 else f"{named} does not have its checksum"


def _write_all(descriptor: int, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


@contextmanager
def _kept(paths: StorePaths) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        with told(paths.objects):
            stack.enter_context(objects_kept(paths, timeout_s=_OTHERS_TAKE_AT_MOST_S))
        yield
