"""The pool on this host: one template process and the executors forked from it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from aerjob_cli.executors.environment import executor_environment
from aerjob_cli.executors.grants import Grants
from aerjob_cli.executors.messages import MessageError, Reassembly, encode
from aerjob_cli.executors.pool import Ended, Executor, PoolEvent, Said, Started
from aerjob_cli.executors.scratch import Scratch
from aerjob_cli.processes import kill_exactly, started_of

_READ_AT_ONCE = 1 << 20
_STDERR_TAIL_BYTES = 4000
_FAILED_STARTS_AT_MOST = 3
_DEATH_TOLD_WITHIN_S = 0.5


@dataclass
class LocalExecutor:
    """One executor as the worker sees it."""

    serial: int
    scratch: Path
    connection: socket.socket
    stderr: IO[bytes]
    grants: Grants
    pid: int | None = None
    started: str = ""
    fault: str | None = None
    closed_s: float | None = None
    incoming: Reassembly = field(default_factory=Reassembly)
    outgoing: bytearray = field(default_factory=bytearray)
    is_registered: bool = False


class LocalPool:
    """Implements ``pool.Pool`` with processes of this host."""

    def __init__(self, *, scratch: Scratch) -> None:
        self._scratch = scratch
        self._selector: selectors.BaseSelector | None = None
        self._template: subprocess.Popen[bytes] | None = None
        self._template_started = ""
        self._control: socket.socket | None = None
        self._control_text = b""
        self._executors: dict[int, LocalExecutor] = {}
        self._unsent: dict[int, LocalExecutor] = {}
        self._events: deque[PoolEvent] = deque()
        self._next_serial = 1
        self._is_ready = False
        self._failed_starts = 0
        self.why_broken: str | None = None

    @property
    def is_broken(self) -> bool:
        """Tell whether templates end as soon as they are started, so that more of them are of no use."""
        return self.why_broken is not None or self._failed_starts >= _FAILED_STARTS_AT_MOST

    def attach(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        if self._control is not None:
            selector.register(self._control, selectors.EVENT_READ, self._on_control)

    def start(self) -> None:
        if self._template is not None:
            return
        ours, theirs = socket.socketpair()
        with theirs:
            self._template = subprocess.Popen(
                [sys.executable, "-P", "-m", "aerjob_cli.executors.template", str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                cwd="/",
                env=executor_environment(temporary=self._scratch.folder),
                # A terminal's Ctrl-C is for the worker alone, which then drains.
                start_new_session=True,
                pass_fds=(theirs.fileno(),),
            )
        self._template_started = started_of(self._template.pid) or ""
        self._control = ours
        if self._selector is not None:
            self._selector.register(ours, selectors.EVENT_READ, self._on_control)

    def fork(self) -> Executor:
        self.start()
        assert self._control is not None
        serial, self._next_serial = self._next_serial, self._next_serial + 1
        scratch = self._scratch.make(serial)
        try:
            stderr = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115 - lives as long as the executor
            grants = Grants()
            ours, theirs = socket.socketpair()
        except OSError:
            self._scratch.discard(scratch)
            raise
        ours.setblocking(False)
        # Appending, since the executor shares the position with us.
        fcntl.fcntl(stderr, fcntl.F_SETFL, fcntl.fcntl(stderr, fcntl.F_GETFL) | os.O_APPEND)
        executor = LocalExecutor(serial, scratch, ours, stderr, grants)
        self._executors[serial] = executor
        with theirs, contextlib.suppress(OSError):  # a dead template is told of by its socket
            line = json.dumps({"fork": serial, "scratch": str(scratch)}).encode() + b"\n"
            socket.send_fds(self._control, [line], [theirs.fileno(), stderr.fileno(), grants.reading])
        self._watch(executor)
        return executor

    def send(self, executor: Executor, header: dict[str, Any], bodies: Sequence[bytes] = ()) -> None:
        local = self._executors.get(executor.serial)
        if local is None:
            return
        # Before the message, so that whoever has that finds its number, or it was withdrawn.
        number = local.grants.grant(header["ticket"])
        local.outgoing += encode({**header, "number": number}, bodies)
        self._unsent[local.serial] = local

    def push(self) -> None:
        unsent, self._unsent = self._unsent, {}
        for local in unsent.values():
            self._flush(local)

    def withdraw(self, executor: Executor) -> frozenset[str]:
        local = self._executors.get(executor.serial)
        return frozenset() if local is None else local.grants.withdraw()

    def forget(self, executor: Executor, ticket: str) -> None:
        local = self._executors.get(executor.serial)
        if local is not None:
            local.grants.forget(ticket)
            if os.fstat(local.stderr.fileno()).st_size:
                local.stderr.truncate(0)  # what it wrote for this job is of no use any more

    def kill(self, executor: Executor) -> None:
        if self._control is None or executor.serial not in self._executors:
            return
        with contextlib.suppress(OSError):
            self._control.sendall(json.dumps({"kill": executor.serial}).encode() + b"\n")

    def poll(self) -> list[PoolEvent]:
        self._scratch.sweep()
        for executor in list(self._executors.values()):
            if executor.closed_s is not None and time.monotonic() - executor.closed_s > _DEATH_TOLD_WITHIN_S:
                executor.closed_s = None
                self._blame(executor, "it closed its pipe")
        events = list(self._events)
        self._events.clear()
        for event in events:
            if isinstance(event, Ended):
                # From the next call on nobody fetches a file from there any more.
                self._scratch.discard(event.executor.scratch)
        return events

    def children(self) -> tuple[tuple[int, str], ...]:
        known = [(item.pid, item.started) for item in self._executors.values() if item.pid is not None]
        if self._template is not None:
            known.insert(0, (self._template.pid, self._template_started))
        return tuple(known)

    def close(self) -> None:
        if self._template is None:
            return
        for pid, started in self.children():
            kill_exactly(pid, started, whole_group=True)
        self._lose_template()
        self._events.clear()
        self._scratch.close()

    # What the loop calls.

    def _on_control(self) -> None:
        assert self._control is not None
        try:
            data = self._control.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._lose_template()
            return
        *lines, self._control_text = (self._control_text + data).split(b"\n")
        for line in lines:
            self._hear_template(json.loads(line))

    def _hear_template(self, message: dict[str, Any]) -> None:
        if "ready" in message:
            self._failed_starts, self._is_ready = 0, True
            self._events.append(Started(message["ready"]))
        elif "broken" in message:
            self.why_broken = message["broken"]
        elif "forked" in message:
            executor = self._executors.get(message["forked"])
            if executor is not None:
                executor.pid, executor.started = message["pid"], message["started"]
        elif "ended" in message:
            executor = self._executors.get(message["ended"])
            if executor is not None:
                executor.fault = executor.fault or message.get("fault")
                self._bury(executor, message["status"])

    def _lose_template(self) -> None:
        """Give up on a template that is gone: on Linux its executors went with it, elsewhere they are ended here."""
        assert self._control is not None
        assert self._template is not None
        children = self.children()
        if self._selector is not None:
            self._selector.unregister(self._control)
        self._control.close()
        self._template.kill()
        self._template.wait()
        self._control, self._template, self._control_text = None, None, b""
        self._failed_starts += 0 if self._is_ready else 1
        self._is_ready = False
        for pid, started in children:
            kill_exactly(pid, started, whole_group=True)
        self._scratch.end_strays()
        for executor in list(self._executors.values()):
            if executor.pid is None:
                executor.fault = self.why_broken
            self._bury(executor, None)

    def _bury(self, executor: LocalExecutor, code: int | None) -> None:
        # What it managed to say before it ended still counts.
        while self._read(executor):
            pass
        del self._executors[executor.serial]
        self._unsent.pop(executor.serial, None)
        self._unwatch(executor)
        executor.connection.close()
        unbegun = executor.grants.withdraw()
        self._events.append(Ended(executor, code, executor.fault, _tail(executor.stderr), unbegun))
        executor.stderr.close()
        executor.grants.close()

    def _on_executor(self, executor: LocalExecutor) -> None:
        if executor.serial not in self._executors:
            return
        self._flush(executor)
        self._read(executor)

    def _read(self, executor: LocalExecutor) -> bool:
        """Take in what an executor has sent; return whether there may be more."""
        if executor.fault is not None or executor.closed_s is not None:
            return False
        try:
            data = executor.connection.recv(_READ_AT_ONCE)
            if not data:
                self._note_closed(executor)
                return False
            executor.incoming.feed(data)
            for message in executor.incoming.messages():
                self._events.append(Said(executor, message))
        except BlockingIOError:
            return False
        except OSError:
            self._note_closed(executor)
            return False
        except MessageError as error:
            self._blame(executor, f"it sent what is no message ({error})")
            return False
        return True

    def _note_closed(self, executor: LocalExecutor) -> None:
        # Nearly always it has died, and the template is about to tell of what.
        executor.closed_s = time.monotonic()
        self._unwatch(executor)

    def _blame(self, executor: LocalExecutor, fault: str) -> None:
        executor.fault = fault
        self._unwatch(executor)
        self.kill(executor)

    def _flush(self, executor: LocalExecutor) -> None:
        if executor.fault is not None or executor.closed_s is not None:
            return
        try:
            while executor.outgoing:
                sent = executor.connection.send(executor.outgoing)
                del executor.outgoing[:sent]
        except BlockingIOError:
            pass
        except OSError:
            # It is ending, or has closed its pipe; reading says which.
            executor.outgoing.clear()
        self._watch(executor)

    def _watch(self, executor: LocalExecutor) -> None:
        if self._selector is None:
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if executor.outgoing else 0)
        if not executor.is_registered:
            self._selector.register(executor.connection, wanted, lambda: self._on_executor(executor))
            executor.is_registered = True
        elif self._selector.get_key(executor.connection).events != wanted:
            key = self._selector.get_key(executor.connection)
            self._selector.modify(executor.connection, wanted, key.data)

    def _unwatch(self, executor: LocalExecutor) -> None:
        if executor.is_registered and self._selector is not None:
            self._selector.unregister(executor.connection)
        executor.is_registered = False


def _tail(file: IO[bytes]) -> str:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _STDERR_TAIL_BYTES))
    return file.read().decode("utf-8", errors="replace")
