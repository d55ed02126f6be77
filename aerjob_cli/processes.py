"""Processes of this machine: telling one from another, ending them for certain, their memory, dying with a parent.

Pids are reused; a pid together with its start time within one boot is not.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

# prctl(2)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_IS_LINUX: bool = sys.platform == "linux"
_PS = "/bin/ps"


def started_of(pid: int) -> str | None:
    """Give a text that no other process of that pid has in this boot, or None when it is gone (or a zombie)."""
    if _IS_LINUX:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        # proc(5): the command is in parentheses and may hold anything; state is field 3, the start time field 22.
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in ("Z", "X") else fields[19]
    answer = subprocess.run([_PS, "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


def is_running(pid: int, started: str) -> bool:
    """Tell whether exactly that process still runs."""
    return started_of(pid) == started


def kill_exactly(pid: int, started: str, *, whole_group: bool = False) -> bool:
    """SIGKILL exactly that process (and its group, when it leads one); return whether it was there."""
    if not is_running(pid, started):
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if whole_group and os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
    return True


def terminate_exactly(pid: int, started: str) -> bool:
    """SIGTERM exactly that process; return whether it was there."""
    if not is_running(pid, started):
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGTERM)
    return True


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel SIGKILL this process when its parent dies; ends it at once if that happened already.

    Linux only; elsewhere the parent's closed pipe has to do. Must be called after fork, on the main thread.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(1)


def gain_no_privileges() -> None:
    """Have no program that this process or a child of it starts gain rights, as a setuid one does. Linux only."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def adopt_orphans() -> None:
    """Become the parent of each descendant that loses its own, so that `children_of` tells of it. Linux only."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if _IS_LINUX:
        # Light commands look at processes, and never need this.
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def children_of(pid: int) -> list[int]:
    """Give the children of a process of one thread, ended ones included until they are reaped; none off Linux."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_bytes().split()]
    except OSError:
        # A kernel without that file.
        return [child for child in _pids() if _parent_of(child) == pid]


def kill_where_environment(name: str, folders: Collection[Path]) -> int:
    """SIGKILL the processes of this user that began with one of the folders, or a path below one, in ``name``.

    Gives how many there were. An environment is what a process was started with, and a fork has its parent's. For
    those that no parent is left to tell of; Linux only.
    """
    if not hasattr(os, "pidfd_open"):
        # A Python that was built for a kernel before 5.3. Without one a signal might meet a reused pid.
        return 0
    killed = 0
    for pid in _pids():
        with contextlib.suppress(OSError):
            # The descriptor is of that process for good, whoever gets its pid.
            process = os.pidfd_open(pid)
            try:
                if _is_within(name, folders, Path(f"/proc/{pid}/environ").read_bytes()):
                    signal.pidfd_send_signal(process, signal.SIGKILL)
                    killed += 1
            finally:
                os.close(process)
    return killed


def _is_within(name: str, folders: Collection[Path], environment: bytes) -> bool:
    start = os.fsencode(name) + b"="
    values = [setting.removeprefix(start) + b"/" for setting in environment.split(b"\0") if setting.startswith(start)]
    return any(value.startswith(os.fsencode(folder) + b"/") for value in values for folder in folders)


def _pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def _parent_of(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])


def rss_bytes(pid: int) -> int | None:
    """Give the resident memory of a process, or None when it is gone or the system does not tell."""
    try:
        with open(f"/proc/{pid}/statm", "rb", buffering=0) as file:
            resident_pages = int(file.read().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return resident_pages * os.sysconf("SC_PAGE_SIZE")


def signal_name(number: int) -> str:
    """Give ``SIGSEGV`` for 11."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
