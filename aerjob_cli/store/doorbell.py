"""The doorbell: a FIFO in the store's folder into which clients write one meaningless byte after a commit.

A ring only saves the worker from polling fast; a lost one costs at most a poll interval. Since only a worker holds the
reading end, a client also learns at once whether one is there.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from aerjob_cli.frozen import dataclass
from aerjob_cli.store import fifo


def ring(path: Path) -> bool:
    """Wake the worker; return False when no worker listens."""
    descriptor = fifo.open_to_write(path)
    if descriptor is None:
        return False
    try:
        os.write(descriptor, b"\0")
    except OSError as error:
        # A full pipe means that the worker has been told often enough already.
        return error.errno == errno.EAGAIN
    finally:
        os.close(descriptor)
    return True


def is_heard(path: Path) -> bool:
    """Tell whether a worker listens, without waking it."""
    descriptor = fifo.open_to_write(path)
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


@dataclass(frozen=True)
class Doorbell:
    """The worker's end of the bell."""

    path: Path
    descriptor: int

    @classmethod
    def hang(cls, path: Path) -> Doorbell:
        """Make a new bell in the place of any old one, and listen to it."""
        return cls(path, fifo.make(path))

    def silence(self) -> None:
        """Forget all rings so far."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self.descriptor, 4096):
                pass

    def take_down(self) -> None:
        """Stop listening: from here on, who rings knows that no worker is there."""
        os.close(self.descriptor)
