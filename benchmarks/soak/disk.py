"""A small file system for the store, so that it can be filled without harm to anybody else."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

_NAME = "aerjob-soak"


class SmallDisk:
    """A tmpfs at a folder, and a file that takes what is left of it.

    It stays mounted when the soak is killed, so that the next start finds the store.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def mount(self, size_mib: int) -> bool:
        """Mount it, unless it is; return whether that is allowed here."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if os.path.ismount(self.folder):
            return True
        command = ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m,mode=0700", _NAME, str(self.folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def unmount(self) -> bool:
        """Take it away with all that is on it; return whether nobody was using it."""
        command = ["umount", str(self.folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def fill(self) -> None:
        """Leave no room."""
        file = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # Others take and give room meanwhile.
            while (left := os.fstatvfs(file)).f_bavail:
                end = os.fstat(file).st_size
                os.posix_fallocate(file, end, left.f_bavail * left.f_frsize)
        except OSError:
            # ENOSPC, which is what was wanted.
            pass
        finally:
            os.close(file)

    def free(self) -> None:
        """Give the room back."""
        with contextlib.suppress(FileNotFoundError):
            self._ballast.unlink()
