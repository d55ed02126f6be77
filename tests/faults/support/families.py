"""Every process that belongs to a store, found in /proc and not by what the store says of itself. Linux only."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from aerjob_cli.processes import is_running, started_of

_TEMPLATE = b"aerjob_cli.executors.template"


class Member(NamedTuple):
    """One process that cannot be mistaken for another one."""

    pid: int
    started: str

    @property
    def is_running(self) -> bool:
        return is_running(self.pid, self.started)


def family(home: Path, *, worker_pids: Collection[int] = ()) -> set[Member]:
    """Find what works for the store at ``home`` now: by command line, environment, open files, ancestors, sessions.

    ``worker_pids`` are those of workers that have been there, so that a template is found whose worker is gone. This
    process and those that it descends from are not part of it.
    """
    outsiders = set(_ancestors(os.getpid()))
    parents = {pid: _stat(pid) for pid in _pids() if pid not in outsiders}
    found = {
        pid
        for pid in parents
        if _names(pid, home) or _is_template_of(pid, worker_pids) or _has_open(pid, home) or _lives_in(pid, home)
    }
    # Whatever they started, and what that has started.
    while more := {
        pid for pid, (parent, session) in parents.items() if pid not in found and (parent in found or session in found)
    }:
        found |= more
    return {Member(pid, started) for pid in found if (started := started_of(pid)) is not None}


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 0:
        yield pid
        pid = _stat(pid)[0]


def _stat(pid: int) -> tuple[int, int]:
    """Give a process's parent and session."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0, 0
    return int(fields[1]), int(fields[3])


def _command(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return []


def _names(pid: int, home: Path) -> bool:
    return os.fsencode(home) in _command(pid)


def _is_template_of(pid: int, worker_pids: Collection[int]) -> bool:
    """Tell whether it is a template, or an executor, which is a fork of one and has its command line."""
    command = _command(pid)
    return _TEMPLATE in command and command[-1] in {b"%d" % worker_pid for worker_pid in worker_pids}


def _lives_in(pid: int, home: Path) -> bool:
    """Tell whether its environment speaks of the folder, as that of a template and its forks does (``TMPDIR``)."""
    try:
        return os.fsencode(home) in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


def _has_open(pid: int, home: Path) -> bool:
    try:
        opened = [os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return False
    return any(Path(place).is_relative_to(home) for place in opened)
