"""The folders in which executors write: one of its own for each, in one for each worker, removed after it.

They are on the file system of the object folder, so that a large result gets its name by a rename. What a killed
executor had begun to write goes with its folder; what a killed worker left, the next one removes.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections import deque
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from aerjob_cli.processes import kill_where_environment
from aerjob_cli.store.removal import remove_soon

_PRIVATE = 0o700
# Removing a small file takes some 20 µs; the worker's loop must not stand still for what an executor may have left.
_REMOVED_AT_ONCE = 200
_REMOVED_AT_THE_END = 10_000


class Scratch:
    """The folder of one worker in ``place``. Nothing in here waits long."""

    def __init__(self, place: Path, worker_id: str) -> None:
        # One name for one place: what is left running is told by it.
        self._place = place.resolve()
        self._worker_id = worker_id
        self._doomed: deque[tuple[Path, Iterator[None]]] = deque()

    @property
    def folder(self) -> Path:
        """Where the folders of this worker's executors are; made with the first of them."""
        return self._place / self._worker_id

    def make(self, serial: int) -> Path:
        """Make the private folder of one executor. Raises ``OSError``."""
        # Not with its parents: they are missing when the store was deleted, which must not come back in parts.
        self.folder.mkdir(mode=_PRIVATE, exist_ok=True)
        folder = self.folder / str(serial)
        folder.mkdir(mode=_PRIVATE)
        return folder

    def discard(self, folder: Path) -> None:
        """Have `sweep` remove the folder of an executor that is gone."""
        self._doomed.append((folder, _removing(folder, self._place)))

    def succeed(self) -> None:
        """End what executors of dead workers left running, and have `sweep` remove what they left lying.

        For the holder of the store's lock only: all other workers are dead then, or have lost their executors.
        """
        with contextlib.suppress(OSError), os.scandir(self._place) as entries:
            stale = {entry.name for entry in entries if entry.is_dir(follow_symlinks=False)} - {self._worker_id}
            if stale:
                end_strays(self._place, stale)
            for worker_id in stale:
                self.discard(self._place / worker_id)

    def end_strays(self) -> None:
        """End what this worker's executors left running, when no template is there to know of it. Linux only."""
        end_strays(self._place, {self._worker_id})

    def sweep(self) -> None:
        """Remove some of what is to be removed."""
        for _ in range(_REMOVED_AT_ONCE):
            if not self._doomed:
                return
            try:
                next(self._doomed[0][1])
            except StopIteration:
                self._doomed.popleft()
            except OSError as error:
                folder, _ = self._doomed.popleft()
                if error.errno == errno.ENOTEMPTY:
                    # A writer that has been killed was not dead yet.
                    self.discard(folder)
                    return

    def close(self) -> None:
        """Remove what can be removed at once of this worker's folder; the next worker removes the rest."""
        with contextlib.suppress(OSError):
            deque(islice(_removing(self.folder, self._place), _REMOVED_AT_THE_END), maxlen=0)


def end_strays(place: Path, worker_ids: Collection[str]) -> None:
    """End all that runs with a folder of these workers in ``place`` for its temporary files. Linux only."""
    kill_where_environment("TMPDIR", [place.resolve() / worker_id for worker_id in worker_ids])


def _removing(folder: Path, aside: Path) -> Iterator[None]:
    """Remove a folder with all in it, step by step. Links are not followed. Raises ``OSError``.

    Large files are put into the folder ``aside`` first.
    """
    # Not recursive: nothing keeps an executor from nesting folders deeper than Python's stack.
    way = [os.fspath(folder)]
    while way:
        below = None
        with os.scandir(way[-1]) as entries:
            for entry in entries:
                yield
                if entry.is_dir(follow_symlinks=False):
                    below = entry.path
                    break
                remove_soon(Path(entry.path), aside=aside)
        if below is None:
            os.rmdir(way.pop())
        else:
            way.append(below)
