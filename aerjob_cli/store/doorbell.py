"""The doorbell: a FIFO in the store's folder into which clients write one meaningless byte after a commit.

A ring only saves the worker from polling fast; a lost one costs at most a poll interval. Since only a worker holds the
reading end, a client also learns at once whether one is there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import uuid
from pathlib import Path

from aerjob_cli.frozen import dataclass
from aerjob_cli.store.folder import PRIVATE_FILE


def ring(path: Path) -> bool:
    """Wake the worker; return False when no worker listens."""
    descriptor = _reach(path)
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
    descriptor = _reach(path)
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


def _reach(path: Path) -> int | None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        # ENXIO: nobody reads. ENOENT: no worker was ever here. Anything else: no bell that could be rung.
        return None
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


@dataclass(frozen=True)
class Doorbell:
    """The worker's end of the bell."""

    path: Path
    descriptor: int

    @classmethod
    def hang(cls, path: Path) -> Doorbell:
        """Make a new bell in the place of any old one, and listen to it."""
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
        os.mkfifo(draft, PRIVATE_FILE)
        draft.chmod(PRIVATE_FILE)
        # Opened before it has its name, so that nobody finds it without a listener; O_RDWR keeps it from ever
        # reporting an end of file when the last client leaves (on Linux and macOS a FIFO may be opened so).
        descriptor = os.open(draft, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        if path.is_dir() and not path.is_symlink():
            # A rename replaces anything but a folder.
            path.rename(path.with_name(f"{path.name}.{uuid.uuid4().hex}"))
        draft.rename(path)
        return cls(path, descriptor)

    def silence(self) -> None:
        """Forget all rings so far."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self.descriptor, 4096):
                pass

    def take_down(self) -> None:
        """Stop listening: from here on, who rings knows that no worker is there."""
        os.close(self.descriptor)
