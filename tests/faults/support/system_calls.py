"""Faults in system calls, injected by strace: which calls a process makes that change files, and one of them failing.

`strace -e inject` counts the calls of each name by itself, in each process from the moment it is attached
(strace(1), "Syscall tampering"). A process that is killed there does not make the call any more.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.matrix import Matrix

IS_POSSIBLE = sys.platform == "linux" and shutil.which("strace") is not None

# A process is killed instead of making the call, or the call fails as on a broken or a full disk.
KILL = ("SIGKILL",)
FAILING_DISK = ("EIO", "ENOSPC")

# All that write, sync, link, rename, unlink, truncate or create. Those without a "?" are there on every machine.
CHANGING = (
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "copy_file_range", "fallocate"),
    *("fsync", "fdatasync", "sync_file_range", "ftruncate", "truncate"),
    *("?rename", "renameat", "?renameat2", "?link", "linkat", "?symlink", "symlinkat"),
    *("?unlink", "unlinkat", "?rmdir", "?mkdir", "mkdirat", "?mknod", "mknodat", "?creat", "?open", "openat"),
)
# What SQLite reads a database with.
READING = ("pread64",)
_OPENING = ("open", "openat")
_CREATING = re.compile(r"O_CREAT|O_TMPFILE")
_LINE = re.compile(r"^(?:(?P<pid>\d+) +)?(?P<call>(?P<name>\w+)\(.*)$")
_LETS_GO_WITHIN_S = 5.0


@dataclass(frozen=True)
class Call:
    """One call of a process: the ``ordinal``-th of its name, counted from 1."""

    name: str
    ordinal: int
    text: str = field(compare=False)


@dataclass(frozen=True)
class Point:
    """Where a fault strikes."""

    call: Call
    fault: str

    def __str__(self) -> str:
        return f"{self.fault} at {self.call.name} number {self.call.ordinal}, {self.call.text}"

    @property
    def expression(self) -> str:
        """What strace is told."""
        deed = f"signal={self.fault}" if self.fault.startswith("SIG") else f"error={self.fault}"
        return f"{self.call.name}:{deed}:when={self.call.ordinal}"


def points_of(calls: Sequence[Call], faults: Sequence[str], matrix: Matrix, *, name: str) -> list[Point]:
    """Give every fault at every call, or one point for each kind of call."""
    found = []
    for kind in sorted({call.name for call in calls}):
        points = [Point(call, fault) for call in calls if call.name == kind for fault in faults]
        found += matrix.take(points, 1, name=f"{name}/{'/'.join(faults)}/{kind}")
    return found


def points_beyond(log: Path) -> list[Point]:
    """Give a fault at the call after the last one of each name, which the same process does not make again."""
    names = Counter(match["name"] for match in _lines(log))
    return [Point(Call(name, count + 1, "one too many"), "SIGKILL") for name, count in names.items()]


@contextmanager
def attached(
    pid: int, log: Path, *, point: Point | None = None, names: Sequence[str] = CHANGING, with_children: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """Trace a running process for the block, or to its end, into the file ``log``; a fault strikes at ``point``."""
    command = ["strace", "-y", "-s", "0", "-e", "signal=SIGKILL", "-e", f"trace={','.join(names)}"]
    command += ["-f"] if with_children else []
    command += [] if point is None else ["-e", f"inject={point.expression}"]
    command += ["-o", str(log), "-p", str(pid)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        assert "attached" in said, said
        yield tracer
    finally:
        # Those it still traces go on without it.
        tracer.send_signal(signal.SIGTERM)
        try:
            tracer.communicate(timeout=_LETS_GO_WITHIN_S)
        except subprocess.TimeoutExpired:
            # It waits for ever for a process that died while it let go. Its own end lets go of all, and what it has
            # stopped for that is to go on.
            tracer.kill()
            tracer.communicate()
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def calls_in(log: Path, folder: Path, *, pid: int | None = None) -> tuple[Call, ...]:
    """Give the calls of a process, or of the only one traced, on files in ``folder``; opening one must make it."""
    counted: Counter[str] = Counter()
    found = []
    for match in _lines(log):
        name, text = match["name"], match["call"]
        if pid is not None and match["pid"] != str(pid):
            continue
        counted[name] += 1
        if str(folder) in text and (name not in _OPENING or _CREATING.search(text)):
            found.append(Call(name, counted[name], text))
    return tuple(found)


def _lines(log: Path) -> list[re.Match[str]]:
    return [match for line in log.read_text(errors="replace").splitlines() if (match := _LINE.match(line))]


def was_hit(log: Path, point: Point) -> bool:
    """Tell whether the fault struck."""
    sign = "(INJECTED)" if not point.fault.startswith("SIG") else f"+++ killed by {point.fault} +++"
    return sign in log.read_text(errors="replace")
