"""The gong: a FIFO in the store's folder that wakes all who wait for jobs, struck by the worker after a commit.

Whoever waits has it open to read; the worker opens it to write and closes it again, and Linux tells each reader that
the last writer has left (poll(2), POLLHUP). Nothing is ever in it. A stroke only saves the readers from looking often;
a lost one costs what they would have slept anyway, and so it is with all of them on other systems, which keep no such
account for each reader.
"""

from __future__ import annotations

import math
import os
import select
import sys
import time
from pathlib import Path

from aerjob_cli.store import fifo

IS_HEARD = sys.platform == "linux"


def hang(path: Path) -> None:
    """See to it that there is a gong; one that is there may have readers, and stays."""
    if IS_HEARD and not fifo.is_private(path):
        os.close(fifo.make(path))


def strike(path: Path) -> None:
    """Wake all who wait."""
    descriptor = fifo.open_to_write(path)
    if descriptor is not None:
        os.close(descriptor)


class Listener:
    """One who waits. Where there is no gong it sleeps, and hears nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def listen(self) -> None:
        """Hear from here on: what comes before ``rest`` ends that at once."""
        if IS_HEARD and self._descriptor is None:
            self._descriptor = fifo.open_to_read(self._path)

    def rest(self, seconds: float) -> None:
        """Sleep for that long, or until the gong is struck."""
        if self._descriptor is None:
            time.sleep(seconds)
            return
        poll = select.poll()
        poll.register(self._descriptor, 0)  # its end is told of anyway
        if poll.poll(math.ceil(1000 * seconds)):
            self.close()  # it would tell of the same stroke again

    def close(self) -> None:
        """Stop listening."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
