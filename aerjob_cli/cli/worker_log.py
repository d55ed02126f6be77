"""Reading the worker's log, which is renamed under the reader whenever it has grown long."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from aerjob_cli.worker.log_file import KEPT


class LogReader:
    """Reads whole lines from where it is in a log, across its rotations."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BufferedReader | None = None
        self._begun = b""

    def last(self, count: int) -> tuple[str, ...]:
        """Give the last lines there are, at most ``count``; `fresh` goes on behind them. Raises ``OSError``."""
        lines = deque(self._read(), maxlen=count)
        older = _older_parts(self._path)
        while len(lines) < count and (part := next(older, None)) is not None:
            missing = count - len(lines)
            lines.extendleft(reversed(deque(_lines_of(part), maxlen=missing)))
        return tuple(map(_text, lines))

    def fresh(self) -> tuple[str, ...]:
        """Give the lines that came since. Raises ``OSError``."""
        lines = list(self._read())
        # All that was written before the file was renamed has been read; what comes later is not ours to wait for.
        while self._was_renamed():
            lines += self._read()
            self.close()
            lines += self._read()
        return tuple(map(_text, lines))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self) -> Iterator[bytes]:
        if self._file is None:
            try:
                # A descriptor, and no longer than it takes: the file may be replaced by anything.
                self._file = self._path.open("rb")
            except FileNotFoundError:
                return
        elif os.fstat(self._file.fileno()).st_size < self._file.tell():
            # Somebody has emptied it.
            self._file.seek(0)
            self._begun = b""
        for line in self._file:
            if not line.endswith(b"\n"):
                self._begun += line
                return
            yield self._begun + line
            self._begun = b""

    def _was_renamed(self) -> bool:
        if self._file is None:
            return False
        try:
            named = os.stat(self._path)
        except FileNotFoundError:
            return False
        opened = os.fstat(self._file.fileno())
        return (named.st_dev, named.st_ino) != (opened.st_dev, opened.st_ino)


def _older_parts(path: Path) -> Iterator[Path]:
    for number in range(1, KEPT + 1):
        yield path.with_name(f"{path.name}.{number}")


def _lines_of(part: Path) -> Iterator[bytes]:
    try:
        with part.open("rb") as file:
            yield from file
    except FileNotFoundError:
        return


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").rstrip("\n")
