"""What a disk may hold after a power cut, worked out from the trace of what was written, synced and named.

The model is one of a disk that promises no more than POSIX does, and so less than ext4:

* The content of a file is durable when the file was synced; until then each write may have happened or not, whatever
  became of the others, or have reached the disk in part: some of its sectors, or the new size without the bytes.
* A name is durable when its folder was synced; until then each may be there or not, and so may its removal. A rename is
  one change, which is durable with the folder of the new name.
* Nothing else is ever undone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random

from tests.faults.support.disk_trace import Event, Made, Renamed, Resized, Synced, Unlinked, Untold, Written

# How the names of two states end: the one that has nothing but what was synced, and what programs see.
NOTHING_MORE = "names synced, content synced"
EVERYTHING = "names all, content all"

_SECTOR_BYTES = 512


@dataclass(eq=False)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[_Change] = field(default_factory=list)


@dataclass(eq=False)
class _Folder:
    """``entries`` as programs see them now, and as they are on the disk for certain."""

    entries: dict[str, _Node] = field(default_factory=dict)
    durable: dict[str, _Node] = field(default_factory=dict)


_Node = _File | _Folder


@dataclass(frozen=True, eq=False)
class _Change:
    """A change of a file's content that was not synced when it was made at the line ``at`` of the trace."""

    at: int
    said: str
    offset: int
    data: bytes | None  # None sets the size to ``offset``

    def apply(self, content: bytearray, *, sectors: int | None = None, is_size_only: bool = False) -> None:
        """Make this change, or a part of it: its first ``sectors``, or the size alone."""
        if self.data is None:
            del content[self.offset :]
            content.extend(bytes(self.offset - len(content)))
            return
        data = self.data
        if sectors is not None:
            # Sectors are those of the file, not of the write.
            data = data[: (self.offset // _SECTOR_BYTES + sectors) * _SECTOR_BYTES - self.offset]
        end = self.offset + len(data)
        content.extend(bytes(max(0, end - len(content))))
        if not is_size_only:
            content[self.offset : end] = data

    @property
    def sectors(self) -> int:
        """Count the sectors that this change touches."""
        if not self.data:
            return 0
        return (self.offset + len(self.data) - 1) // _SECTOR_BYTES - self.offset // _SECTOR_BYTES + 1


@dataclass(frozen=True, eq=False)
class _Naming:
    """A change of names that was not synced: what each of these names in these folders stands for now."""

    at: int
    said: str
    decisive: _Folder  # the one that makes it durable
    edits: tuple[tuple[_Folder, str, _Node | None], ...]


@dataclass(frozen=True)
class Image:
    """One state in which a power cut may have left the disk: files and folders by their paths, relative to the disk."""

    point: str
    files: dict[str, bytes]
    folders: list[str]

    def write(self, root: Path) -> None:
        """Put it below ``root``, as private as everything in a store is."""
        root.mkdir(mode=0o700)
        for folder in self.folders:
            (root / folder).mkdir(mode=0o700)
        for name, content in self.files.items():
            (root / name).write_bytes(content)
            (root / name).chmod(0o600)


Make = Callable[[], Image]


class Disk:
    """A folder that was empty, and what became of it as far as the trace was followed."""

    def __init__(self, below: Path, *, is_ignored: Callable[[str], bool], random: Random) -> None:
        self._below = os.fspath(below)
        self._root = _Folder()
        self._namings: list[_Naming] = []
        self._files: list[_File] = []
        self._is_ignored = is_ignored
        self._random = random

    def follow(self, event: Event) -> None:
        """Take in what happened next."""
        match event:
            case Made():
                self._make(event)
            case Written() | Resized():
                self._write(event)
            case Renamed():
                self._rename(event)
            case Unlinked():
                if not self._is_ignored(event.path):
                    folder, name = self._place(event.path)
                    self._name(event, folder, ((folder, name, None),))
            case Synced():
                self._sync(event)

    def cut(self, point: str) -> Iterator[tuple[str, Make]]:
        """Give each state in which a power cut now may leave the disk, with a name for it. They are made on demand,
        and before the next event is followed.
        """
        names, changes = list(self._namings), [change for file in self._files for change in file.pending]
        variants: list[tuple[str, Sequence[_Naming], Callable[[_File], bytes]]] = [
            (NOTHING_MORE, [], _synced),
            ("names synced, content all", [], _all),
            ("names all, content synced", names, _synced),
            (EVERYTHING, names, _all),
        ]
        for naming in names:
            rest = [other for other in names if other is not naming]
            variants.append((f"all but: {naming.said}", rest, _all))
            variants.append((f"nothing but: {naming.said}", [naming], _synced))
        for change in changes:
            variants.append((f"all but: {change.said}", names, _without(change)))
            variants.append((f"nothing but: {change.said}", names, _only(change)))
            if change.sectors > 1:
                sectors = self._random.randrange(1, change.sectors)
                variants.append((f"{sectors} sectors of: {change.said}", names, _torn(change, sectors=sectors)))
            if change.data:
                variants.append((f"the size alone of: {change.said}", names, _torn(change, is_size_only=True)))
        for said, namings, content in variants:
            label = f"{point}; {said}"
            yield label, partial(self._image, label, namings, content)

    def _image(self, label: str, namings: Sequence[_Naming], content: Callable[[_File], bytes]) -> Image:
        edits: dict[int, dict[str, _Node | None]] = {}
        for naming in namings:
            for folder, name, node in naming.edits:
                edits.setdefault(id(folder), {})[name] = node
        image = Image(label, {}, [])

        def visit(folder: _Folder, path: str) -> None:
            entries: dict[str, _Node | None] = {**folder.durable, **edits.get(id(folder), {})}
            for name, node in entries.items():
                if isinstance(node, _Folder):
                    image.folders.append(f"{path}{name}")
                    visit(node, f"{path}{name}/")
                elif node is not None:
                    image.files[f"{path}{name}"] = content(node)

        visit(self._root, "")
        return image

    def _make(self, event: Made) -> None:
        if self._is_ignored(event.path):
            return
        folder, name = self._place(event.path)
        node = folder.entries.get(name)
        if node is None:
            node = _Folder() if event.is_folder else _File()
            self._name(event, folder, ((folder, name, node),))
            if isinstance(node, _File):
                self._files.append(node)
        elif event.is_emptied and isinstance(node, _File):
            node.pending.append(_Change(event.ended, f"{name} emptied", 0, None))

    def _write(self, event: Written | Resized) -> None:
        if self._is_ignored(event.path):
            return
        folder, name = self._place(event.path)
        node = folder.entries.get(name)
        if not isinstance(node, _File):
            # A file that has lost its name since it was opened: nobody will find it again.
            return
        if isinstance(event, Resized):
            change = _Change(event.ended, f"{name} resized to {event.size}", event.size, None)
        else:
            if event.offset < 0:
                raise Untold(f"a write into {event.path} at an unknown place")
            said = f"{name} written at {event.offset}, {len(event.data)} bytes, line {event.ended}"
            change = _Change(event.ended, said, event.offset, event.data)
        node.pending.append(change)

    def _rename(self, event: Renamed) -> None:
        if self._is_ignored(event.source):
            return
        source, old = self._place(event.source)
        target, new = self._place(event.path)
        edits: list[tuple[_Folder, str, _Node | None]] = [(target, new, source.entries[old])]
        if not event.keeps_source:
            edits.append((source, old, None))
        self._name(event, target, tuple(edits))

    def _name(self, event: Event, decisive: _Folder, edits: tuple[tuple[_Folder, str, _Node | None], ...]) -> None:
        for folder, name, node in edits:
            if node is None:
                folder.entries.pop(name, None)
            else:
                folder.entries[name] = node
        said = " and ".join(f"{name} {'removed' if node is None else 'named'}" for _, name, node in edits)
        self._namings.append(_Naming(event.ended, f"{said}, line {event.ended}", decisive, edits))

    def _sync(self, event: Synced) -> None:
        if self._is_ignored(event.path):
            return
        node = self._node(event.path)
        if isinstance(node, _File):
            # What ended while the sync was under way may have missed it.
            done = [change for change in node.pending if change.at < event.began]
            for change in done:
                change.apply(node.durable)
            node.pending = node.pending[len(done) :]
            return
        for naming in [item for item in self._namings if item.decisive is node and item.at < event.began]:
            self._namings.remove(naming)
            for folder, name, named in naming.edits:
                if named is None:
                    folder.durable.pop(name, None)
                else:
                    folder.durable[name] = named
                # What became of this name before is settled with it.
                self._namings = [
                    replace(other, edits=tuple(edit for edit in other.edits if edit[:2] != (folder, name)))
                    if other.at < naming.at
                    else other
                    for other in self._namings
                ]

    def _place(self, path: str) -> tuple[_Folder, str]:
        parent, _, name = path.rpartition("/")
        folder = self._node(parent)
        if not isinstance(folder, _Folder):
            raise Untold(f"{parent} was made before the trace began")
        return folder, name

    def _node(self, path: str) -> _Node | None:
        node: _Node | None = self._root
        for part in filter(None, path.removeprefix(self._below).split("/")):
            node = node.entries.get(part) if isinstance(node, _Folder) else None
        return node


def _synced(file: _File) -> bytes:
    return bytes(file.durable)


def _all(file: _File) -> bytes:
    return _of(file, file.pending)


def _of(file: _File, changes: Sequence[_Change]) -> bytes:
    content = bytearray(file.durable)
    for change in changes:
        change.apply(content)
    return bytes(content)


def _without(dropped: _Change) -> Callable[[_File], bytes]:
    return lambda file: _of(file, [change for change in file.pending if change is not dropped])


def _only(kept: _Change) -> Callable[[_File], bytes]:
    return lambda file: _of(file, [change for change in file.pending if change is kept])


def _torn(torn: _Change, *, sectors: int | None = None, is_size_only: bool = False) -> Callable[[_File], bytes]:
    def content(file: _File) -> bytes:
        found = bytearray(file.durable)
        for change in file.pending:
            if change is torn:
                change.apply(found, sectors=sectors, is_size_only=is_size_only)
            else:
                change.apply(found)
        return bytes(found)

    return content
