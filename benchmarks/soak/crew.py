"""The clients at work: forked from this warm process, which has opened no store, or real `aerjob` processes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aerjob_cli.errors import InputRefused, StoreUnusable
from aerjob_cli.processes import die_with_parent
from benchmarks.soak.clients import Work, run_in_fork
from benchmarks.soak.journal import Entry
from benchmarks.soak.processes import Process, children

# What a command may end with; 70 would be a bug.
_GOOD_EXITS = frozenset({0, 1, 3, 4, 5, 6, 8, 124, -signal.SIGKILL})

# What `submit` says of a job whose circuits were refused.
_REFUSED_JOB = re.compile(r"\(job ([0-9a-f-]{36})\)")

_FIRST_GUESS_S = 0.12
_SPEAKS_AT_LATEST_S = 3.0
_WEIGHT_OF_LATEST = 0.2


@dataclass
class Member:
    """One client at work, what it works on, and what it has said so far."""

    kind: str
    process: Process
    descriptor: int
    tasks: tuple[int, ...]
    command: subprocess.Popen[bytes] | None = None
    log: Path | None = None
    said: bytes = b""
    begun_s: float = field(default_factory=time.monotonic)
    has_spoken: bool = False
    is_closed: bool = False
    code: int | None = None


class Crew:
    """All clients, and the one selector that hears them."""

    def __init__(self, home: Path, folder: Path) -> None:
        self._home = home
        self._folder = folder
        self._selector = selectors.DefaultSelector()
        self.members: dict[int, Member] = {}
        self._commands = 0
        # How long a client of a kind takes until it has something to say.
        self._speaks_after_s: dict[str, float] = {}

    def fork(self, kind: str, work: Work, tasks: tuple[int, ...] = ()) -> Member:
        """Have a forked client do some work."""
        ours, theirs = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(ours)
            os.setsid()
            die_with_parent(parent)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            run_in_fork(work, descriptor=theirs, home=self._home)
        os.close(theirs)
        return self._join(Member(kind, Process.of(pid), ours, tasks))

    def command(self, kind: str, arguments: list[str], tasks: tuple[int, ...] = ()) -> Member:
        """Start an `aerjob` process."""
        self._commands += 1
        log = self._folder / f"command-{self._commands}.stderr"
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "aerjob_cli", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, "AERJOB_HOME": str(self._home)},
                start_new_session=True,
            )
        assert process.stdout is not None
        descriptor = os.dup(process.stdout.fileno())
        process.stdout.close()
        # It is reaped here, with all others.
        process.returncode = 0
        return self._join(Member(kind, Process.of(process.pid), descriptor, tasks, process, log))

    def _join(self, member: Member) -> Member:
        os.set_blocking(member.descriptor, False)
        self.members[member.process.pid] = member
        self._selector.register(member.descriptor, selectors.EVENT_READ, member)
        return member

    def count(self, kind: str) -> int:
        """Count the clients of a kind that are at work."""
        return sum(member.kind == kind for member in self.members.values())

    def busy_with(self) -> set[int]:
        """Give the numbers of the tasks that some client is at."""
        return {number for member in self.members.values() for number in member.tasks}

    def hear(self, timeout_s: float) -> Iterator[tuple[Member, Entry]]:
        """Wait for the clients to say something, and give what each has said."""
        for key, _ in self._selector.select(max(0.0, timeout_s)):
            member: Member = key.data
            self._read(member)
            if member.command is None:
                *lines, member.said = member.said.split(b"\n")
                if lines:
                    self._note_first_word(member)
                yield from ((member, json.loads(line)) for line in lines)
        self._reap()
        for member in [member for member in self.members.values() if member.is_closed]:
            if member.command is None or member.code is not None:
                del self.members[member.process.pid]
                yield from ((member, entry) for entry in _meaning_of_end(member))

    def _read(self, member: Member) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(member.descriptor, 65536):
                member.said += data
            # The client has ended: nobody else has the other end.
            self._selector.unregister(member.descriptor)
            os.close(member.descriptor)
            member.is_closed = True
            if member.said and member.command is not None:
                self._note_first_word(member)

    def speaks_after_s(self, member: Member) -> float:
        """Tell how long clients of its kind take, of late, until they have something to say."""
        return self._speaks_after_s.get(member.kind, _FIRST_GUESS_S)

    def _note_first_word(self, member: Member) -> None:
        if not member.has_spoken:
            member.has_spoken = True
            latest_s = min(time.monotonic() - member.begun_s, _SPEAKS_AT_LATEST_S)
            before_s = self.speaks_after_s(member)
            self._speaks_after_s[member.kind] = before_s + _WEIGHT_OF_LATEST * (latest_s - before_s)

    def _reap(self) -> None:
        """Reap what has ended, whoever's child it was once."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                member = self.members.get(ended[0])
                if member is not None:
                    member.code = os.waitstatus_to_exitcode(ended[1])

    def others(self, family: list[Process]) -> list[str]:
        """Give what runs of a worker's family, and whatever else is a child of this process and no client."""
        mine = {member.process.pid for member in self.members.values()}
        found = {process.pid for process in family if process.is_running()}
        found |= {pid for pid in children() if pid not in mine}
        return sorted(f"{pid} {_command_line(pid)}" for pid in found)

    def kill_all(self) -> None:
        """End the clients that are still there."""
        for member in list(self.members.values()):
            member.process.send(signal.SIGKILL)


def _meaning_of_end(member: Member) -> Iterator[Entry]:
    """Give what the end of a command says; of forked clients all is known."""
    if member.command is None or member.log is None:
        return
    words = member.log.read_text(encoding="utf-8", errors="replace")
    member.log.unlink()
    is_submit = member.kind == "command submit"
    # The id is the only line that `submit` prints.
    if is_submit and member.said.endswith(b"\n"):
        yield {"what": "acknowledged", "task": member.tasks[0], "id": member.said.split()[0].decode()}
    elif is_submit and member.code == InputRefused.exit_code and (refused := _REFUSED_JOB.search(words)) is not None:
        # Its circuits were refused, perhaps since their parser was killed twice. The job is there, as it has said.
        yield {"what": "acknowledged", "task": member.tasks[0], "id": refused[1]}
    elif is_submit and member.code == StoreUnusable.exit_code:
        yield {"what": "refused", "task": member.tasks[0], "code": f"exit {member.code}"}
    if member.code not in _GOOD_EXITS or "Traceback" in words:
        yield {"what": "bug", "text": f"{member.kind} ended with {member.code}: {words[-2000:]}"}


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "(ended)"
