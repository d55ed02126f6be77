"""One command of an ended job as a process: in a session of its own, its output into the log, until it ends or must.

Nothing here waits. The process is told of by a pidfd where the system has them, else it is asked again and again. What
it started may outlive it and keep the pipe open; that is nobody's business once the command itself has ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import signal
import subprocess
from collections.abc import Callable

from aerjob_cli.processes import signal_name
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.end_commands import DueCommand
from aerjob_cli.worker import journal

# Of what one command writes, this much goes into the log; a log is of no use to anybody who writes more.
_BYTES_LOGGED = 64 * 1024
_LINES_LOGGED = 500
_LINE_BYTES = 4000
# What comes after that is read so often, and so much at a time: the command goes on, and the worker has other work.
_DRAINED_EVERY_S = 0.05
_PIPE_BYTES = 2**20
_READ_BYTES = 64 * 1024
_READS_AT_ONCE = 16
# How often it is asked whether it has ended where nobody tells.
_ASKED_EVERY_S = 0.05
# What has another user's rights, as by sudo, cannot be killed, and what waits for a disk may not end.
_DIES_WITHIN_S = 5.0
# Its folder may be gone, or on a disk that does not answer, for which the worker must not wait.
_IN_ITS_FOLDER = 'cd -- "$1" 2>/dev/null || cd -- "$2" || exit; exec /bin/sh -c -- "$3"'


class CommandProcess:
    """A running command."""

    def __init__(
        self, due: DueCommand, paths: StorePaths, selector: selectors.BaseSelector, *, now_s: float, limit_s: float
    ) -> None:
        """Start it; raises ``OSError``."""
        self.due = due
        self.outcome: str | None = None
        self._selector = selector
        self._limit_s = limit_s
        self._deadline_s = now_s + limit_s
        self._why_killed: str | None = None
        self._given_up_s: float | None = None
        self._said = _Said(due.job_id)
        self._output, theirs = os.pipe()
        try:
            os.set_blocking(self._output, False)
            if hasattr(fcntl, "F_SETPIPE_SZ"):
                # The user may have too many large ones already.
                with contextlib.suppress(OSError):
                    fcntl.fcntl(self._output, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
            home = str(paths.home)
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _IN_ITS_FOLDER, "sh", due.folder or home, home, due.command],
                stdin=subprocess.DEVNULL,
                stdout=theirs,
                stderr=theirs,
                cwd="/",
                env=_environment(due, home),
                start_new_session=True,
            )
        except BaseException:
            os.close(self._output)
            raise
        finally:
            os.close(theirs)
        self._drain_again_s: float | None = None
        self._has_output = True
        selector.register(self._output, selectors.EVENT_READ, self._read)
        self._pidfd = self._watch(selector, self.look)

    @property
    def pid(self) -> int:
        return self._process.pid

    def due_s(self, now_s: float) -> float:
        """Say when it has to be looked at next, at the latest."""
        times = [self._deadline_s if self._why_killed is None else self._given_up_s or now_s]
        if self._drain_again_s is not None:
            times.append(self._drain_again_s)
        if self._pidfd is None:
            times.append(now_s + _ASKED_EVERY_S)
        return min(times)

    def attend(self, now_s: float) -> None:
        """End it when its time is over, and read what it goes on writing."""
        if now_s >= self._deadline_s:
            self.kill(f"killed: it ran longer than {self._limit_s:g} s")
        if self._why_killed is not None:
            if self._given_up_s is None:
                self._given_up_s = now_s + _DIES_WITHIN_S
            elif now_s >= self._given_up_s and self.outcome is None:
                self._end(f"{self._why_killed}; it goes on nevertheless")
                return
        if self._said.is_full and self._has_output and (self._drain_again_s is None or now_s >= self._drain_again_s):
            if self._drain_again_s is None:
                self._selector.unregister(self._output)
            self._drain_again_s = now_s + _DRAINED_EVERY_S
            self._read_much()
        if self._pidfd is None:
            self.look()

    def kill(self, why: str) -> None:
        """SIGKILL it and all of its process group; the outcome will be ``why``."""
        if self._why_killed is None and self._process.returncode is None:
            self._why_killed = why
            # The group is there until the process is reaped, which nobody else does.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def buried(self, status: int) -> None:
        """Take the status of the process from somebody who has reaped it."""
        if self._process.returncode is None:
            self._process.returncode = os.waitstatus_to_exitcode(status)

    def look(self) -> None:
        """See whether it has ended, and say what came of it."""
        if self.outcome is not None or (code := self._process.poll()) is None:
            return
        self._read_much()
        self._end(self._why_killed or _how_it_ended(code))

    def _end(self, outcome: str) -> None:
        self._said.end()
        self._stop_reading()
        if self._pidfd is not None:
            self._selector.unregister(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None
        self.outcome = outcome

    def _watch(self, selector: selectors.BaseSelector, told: Callable[[], None]) -> int | None:
        if not hasattr(os, "pidfd_open"):
            return None
        try:
            pidfd = os.pidfd_open(self._process.pid)
        except OSError:
            return None
        selector.register(pidfd, selectors.EVENT_READ, told)
        return pidfd

    def _read_much(self) -> None:
        for _ in range(_READS_AT_ONCE + 1):
            if not self._read():
                return

    def _read(self) -> bool:
        """Read a part of the output; return whether there may be more."""
        if not self._has_output:
            # Its end was told of together with this, and the number may be another file's by now.
            return False
        try:
            data = os.read(self._output, _READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._stop_reading()
            return False
        self._said.add(data)
        return True

    def _stop_reading(self) -> None:
        if self._has_output:
            self._has_output = False
            if self._drain_again_s is None:
                self._selector.unregister(self._output)
            self._drain_again_s = None
            os.close(self._output)


class _Said:
    """What a command writes, on its way into the log: line by line, up to a limit."""

    def __init__(self, job_id: str) -> None:
        self._job_id = job_id
        self._begun = b""
        self._bytes = 0
        self._lines = 0
        self._left_out = 0

    @property
    def is_full(self) -> bool:
        return self._bytes >= _BYTES_LOGGED or self._lines >= _LINES_LOGGED

    def add(self, data: bytes) -> None:
        kept = b"" if self.is_full else data[: _BYTES_LOGGED - self._bytes]
        self._bytes += len(kept)
        self._left_out += len(data) - len(kept)
        self._begun += kept
        while not self._lines >= _LINES_LOGGED and (line := self._next()) is not None:
            self._tell(line)
        if self._lines >= _LINES_LOGGED:
            self._left_out += len(self._begun)
            self._begun = b""

    def end(self) -> None:
        if self._begun:
            self._tell(self._begun)
        if self._left_out:
            journal.command_said_more(self._job_id, self._left_out)

    def _next(self) -> bytes | None:
        line, newline, rest = self._begun.partition(b"\n")
        if len(line) > _LINE_BYTES:
            line, rest = self._begun[:_LINE_BYTES], self._begun[_LINE_BYTES:]
        elif not newline:
            return None
        self._begun = rest
        return line

    def _tell(self, line: bytes) -> None:
        self._lines += 1
        journal.command_said(self._job_id, _printable(line.decode("utf-8", "replace").rstrip()))


def _printable(text: str) -> str:
    # Nothing that acts on a terminal: not everybody reads the log by `aerjob worker logs`.
    return "".join(character if character.isprintable() else " " for character in text)


def _environment(due: DueCommand, home: str) -> dict[str, str]:
    told = {
        "AERJOB_HOME": home,
        "AERJOB_JOB_ID": due.job_id,
        "AERJOB_JOB_STATUS": str(due.status),
        "AERJOB_JOB_REASON": "" if due.reason is None else str(due.reason),
        # A name may have any character, and the environment has none that is NUL.
        "AERJOB_JOB_NAME": (due.name or "").replace("\0", ""),
    }
    return {**os.environ, **told}


def _how_it_ended(code: int) -> str:
    return f"died of {signal_name(-code)}" if code < 0 else f"exited with code {code}"
