"""What programs wrote, synced and named below a folder, and what they said meanwhile: recorded with strace.

Knows nothing of stores. What is told to a reader through memory that is mapped (the ``-shm`` file of SQLite, which is
made anew after a crash) is not seen, nor needed.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

_NAMED = "open,openat,creat,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,mkdir,mkdirat,symlink,symlinkat"
_WRITTEN = "write,pwrite64,writev,pwritev,pwritev2,truncate,ftruncate,fallocate,copy_file_range,sendfile,splice"
_SYNCED = "fsync,fdatasync,sync,syncfs,sync_file_range,msync"
_LINE = re.compile(r"(?P<pid>\d+) +(?P<rest>.*)")
_RESUMED = re.compile(r"<\.\.\. (?P<call>\w+) resumed>(?P<rest>.*)")
_CALL = re.compile(r"(?P<call>\w+)\((?P<arguments>.*?)\)? += (?P<result>-?\d+|\?)(?:<(?P<named>.*?)>)?(?P<told>.*)")
_UNFINISHED = " <unfinished ...>"
_CUT_SHORT = '"...'
_BYTES_SHOWN = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing done. It began and ended at these lines of the trace: what two processes do may overlap."""

    began: int
    ended: int


@dataclass(frozen=True, kw_only=True)
class Made(Event):
    """A file or a folder was made; ``is_emptied`` where a file that was there lost its content."""

    path: str
    is_folder: bool = False
    is_emptied: bool = False


@dataclass(frozen=True, kw_only=True)
class Written(Event):
    path: str
    offset: int
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Resized(Event):
    path: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Renamed(Event):
    """What was at ``source`` got another name, or a further one."""

    source: str
    path: str
    keeps_source: bool = False


@dataclass(frozen=True, kw_only=True)
class Unlinked(Event):
    path: str


@dataclass(frozen=True, kw_only=True)
class Synced(Event):
    """A file's content or a folder's names were made durable."""

    path: str


@dataclass(frozen=True, kw_only=True)
class Said(Event):
    """Something was written to the stdout of the recorded command."""

    text: str


class _Lines(TypedDict):
    began: int
    ended: int


class Untold(Exception):
    """A call below the folder that this file has no event for: the model of the disk would be wrong about it."""


@dataclass(frozen=True)
class Trace:
    """What a command did, how it ended (negative: the signal), and how often it made each system call, as strace counts
    them for its option `inject`.
    """

    events: list[Event]
    code: int
    calls: Counter[str]


def record(
    command: Sequence[str],
    *,
    below: Path,
    log: Path,
    cwd: Path,
    environment: Mapping[str, str],
    inject: str | None = None,
    first_line: int = 0,
    timeout_s: float = 300.0,
) -> Trace:
    """Run a command with all that it starts, to the end of the last of them, and tell what it did to ``below``.

    ``inject`` is what strace's option of that name takes; lines are counted from ``first_line``.
    """
    said = log.with_suffix(".said")
    calls = f"{_NAMED},{_WRITTEN},{_SYNCED}"
    tracing = ["strace", "-f", "-y", "-xx", "-q", "-s", str(_BYTES_SHOWN), "-o", str(log)]
    # With --seccomp-bpf the other calls cost nothing, but strace 6.1 then injects nothing, without a word.
    tracing += ["-e", f"trace={calls}", *(["--seccomp-bpf"] if inject is None else ["-e", f"inject={inject}"])]
    with said.open("wb") as stdout:
        done = subprocess.run(
            [*tracing, *command],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            cwd=cwd,
            env=dict(environment),
            timeout=timeout_s,
            check=False,
        )
    try:
        reading = _Reading(os.fspath(below), os.fspath(said))
        return Trace(list(reading.events(log, first_line)), done.returncode, reading.calls)
    finally:
        log.unlink()


class _Reading:
    def __init__(self, below: str, said: str) -> None:
        self._below = below
        self._said = said
        self.calls: Counter[str] = Counter()
        # Where the next write without a place goes, for each open file of each process.
        self._positions: dict[tuple[str, str], int] = {}

    def events(self, log: Path, first_line: int) -> Iterator[Event]:
        begun: dict[str, tuple[int, str]] = {}
        with log.open(encoding="ascii") as lines:
            for number, line in enumerate(lines, first_line):
                match = _LINE.match(line)
                if match is None:
                    continue
                pid, rest = match["pid"], match["rest"]
                if rest.endswith(_UNFINISHED):
                    begun[pid] = number, rest.removesuffix(_UNFINISHED)
                    continue
                began = number
                if (resumed := _RESUMED.match(rest)) is not None:
                    began, before = begun.pop(pid)
                    rest = before + resumed["rest"]
                if (call := _CALL.match(rest)) is not None:
                    self.calls[call["call"]] += 1
                    yield from self._event(pid, call, began, number)

    def _event(self, pid: str, call: re.Match[str], began: int, ended: int) -> Iterator[Event]:
        # A call that never came back because its process was killed has not been made: strace kills at its entry.
        if call["result"] == "?" or int(call["result"]) < 0:
            return
        name, arguments = call["call"], _split(call["arguments"])
        paths = _paths(arguments, is_relative=name.endswith(("at", "at2")))
        named = None if call["named"] is None else _text(call["named"])
        if name == "write" and paths[:1] == [self._said]:
            yield Said(text=_bytes(arguments[1]).decode(), began=began, ended=ended)
            return
        mine = [path for path in [*paths, named] if path is not None and self._is_below(path)]
        if not mine:
            return
        lines = _Lines(began=began, ended=ended)
        if name in ("open", "openat", "creat"):
            assert named is not None
            self._positions[pid, call["result"]] = 0
            if "O_CREAT" in call["arguments"] or "O_TRUNC" in call["arguments"] or name == "creat":
                is_emptied = name == "creat" or "O_TRUNC" in call["arguments"]
                yield Made(path=named, is_emptied=is_emptied, **lines)
        elif name in ("mkdir", "mkdirat"):
            yield Made(path=mine[0], is_folder=True, **lines)
        elif name == "pwrite64":
            data = _bytes(arguments[1])[: int(call["result"])]
            yield Written(path=mine[0], offset=int(arguments[3]), data=data, **lines)
        elif name == "write":
            data = _bytes(arguments[1])[: int(call["result"])]
            key = pid, arguments[0].partition("<")[0]
            yield Written(path=mine[0], offset=self._positions.get(key, -1), data=data, **lines)
            self._positions[key] = self._positions.get(key, 0) + len(data)
        elif name == "ftruncate":
            yield Resized(path=mine[0], size=int(arguments[1]), **lines)
        elif name in ("fsync", "fdatasync"):
            yield Synced(path=mine[0], **lines)
        elif name in ("rename", "renameat", "renameat2", "link", "linkat"):
            yield Renamed(source=mine[0], path=mine[1], keeps_source=name.startswith("link"), **lines)
        elif name in ("unlink", "unlinkat", "rmdir"):
            yield Unlinked(path=mine[0], **lines)
        else:
            raise Untold(f"{name} of {mine}")

    def _is_below(self, path: str) -> bool:
        return path == self._below or path.startswith(f"{self._below}/")


def _split(arguments: str) -> list[str]:
    """Split at the commas; with -xx no string has one."""
    return [argument.strip() for argument in arguments.split(", ")]


def _paths(arguments: Sequence[str], *, is_relative: bool) -> list[str]:
    """Give the paths that arguments name: strings, and what strace says of descriptors whose files have a name.

    In a call that ``is_relative`` a string follows the folder that it starts from.
    """
    found, folder = [], ""
    for argument in arguments:
        if argument.startswith('"'):
            found.append(os.path.join(folder, os.fsdecode(_bytes(argument))))
        elif argument.endswith(">") and "<" in argument:
            named = _text(argument.partition("<")[2][:-1])
            if is_relative:
                folder = named
            else:
                found.append(named)
    return found


def _text(shown: str) -> str:
    return os.fsdecode(bytes.fromhex(shown.replace("\\x", ""))) if shown.startswith("\\x") else shown


def _bytes(argument: str) -> bytes:
    assert not argument.endswith(_CUT_SHORT), "strace has not shown all of it"
    return bytes.fromhex(argument.strip('"').replace("\\x", ""))
