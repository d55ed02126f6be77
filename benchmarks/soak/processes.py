"""Signals for exactly one process, and for nothing that got its number after it. Linux only."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from dataclasses import dataclass

from aerjob_cli.processes import started_of

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


@dataclass(frozen=True)
class Process:
    """A process, told by its pid and by when it started."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Process:
        """Give the process that has this pid now."""
        return cls(pid, started_of(pid) or "")

    def is_running(self) -> bool:
        """Tell whether it has not ended; a zombie has."""
        return started_of(self.pid) == self.started

    def send(self, number: signal.Signals) -> bool:
        """Send it a signal; return whether it was there."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except OSError:
            return False
        try:
            # The descriptor stands for one process; what is compared now cannot become another one's.
            if not self.is_running():
                return False
            signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(descriptor)
        return True


def adopt_orphans() -> None:
    """Become the parent of whatever our descendants leave behind, so that it can be counted and reaped."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> list[int]:
    """Give the pids of this process's children, adopted ones as well; zombies are among them."""
    found = []
    with os.scandir("/proc") as entries:
        pids = [int(entry.name) for entry in entries if entry.name.isdecimal()]
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            if int(file.read().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(pid)
    return found
