"""What must outlive the soak: a file of JSON lines that only grows, and is on the disk before it is relied on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class Journal:
    """The journal of one soak, open for adding to it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._waiting: list[bytes] = []
        size = os.fstat(self._file).st_size
        if size and path.read_bytes()[-1:] != b"\n":
            # Whoever wrote this line was killed in the middle of it.
            os.write(self._file, b"\n")

    def add(self, entry: Entry) -> None:
        """Add an entry; ``sync`` puts it on the disk."""
        self._waiting.append(json.dumps(entry).encode() + b"\n")

    def sync(self) -> None:
        """Return when all entries are on the disk."""
        if self._waiting:
            os.write(self._file, b"".join(self._waiting))
            self._waiting.clear()
            os.fdatasync(self._file)


def entries_of(path: Path) -> list[Entry]:
    """Read a journal; a line that was not written to its end is left out."""
    if not path.exists():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            found.append(entry)
    return found
