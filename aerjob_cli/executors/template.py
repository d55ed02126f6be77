"""The template: a process that has imported Qiskit and Aer, and does nothing but fork executors from itself.

It has never run a circuit nor parsed anything, so a fork of it is safe and costs milliseconds where a fresh import
costs half a second. It owns its executors: it alone signals and reaps them, so that a signal never meets a reused
pid. It stays single-threaded, ends when the worker's socket closes, and on Linux dies with the worker.

Over its control socket it reads JSON lines, ``{"fork": serial, "scratch"}`` (with three descriptors: the executor's
socket, its stderr and its permits) and ``{"kill": serial}``, and writes ``{"ready": …}``,
``{"forked": serial, "pid", "started"}`` and ``{"ended": serial, "status", "fault"}``; the latter two are null where
there are none. Where Qiskit or Aer cannot be imported, ``{"broken": why}`` is all that it writes.

What an executor starts has no business without it. It is in the executor's process group; what left that group becomes
the template's child when its own parent ends (on Linux), and is ended for that.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from typing import Any

from aerjob_cli.executors.forked import become_executor
from aerjob_cli.executors.hardening import harden
from aerjob_cli.processes import adopt_orphans, children_of, die_with_parent, started_of

_DESCRIPTORS_OF_A_FORK = 3
_ORPHANS_GONE_WITHIN_S = 0.02
_ORPHANS_LOOKED_FOR_EVERY_S = 2.0  # of executors that live on; when one ends, they are looked for at once


@dataclass
class Template:
    """The loop of the process."""

    control: socket.socket
    children: dict[int, int] = field(default_factory=dict)  # pid -> serial
    _text: bytes = b""
    _descriptors: deque[int] = field(default_factory=deque)

    def run(self) -> None:
        """Read orders and reap children until the worker is gone."""
        woken, wakes = socket.socketpair()
        for end in (woken, wakes):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        self._say({"ready": {"qiskit": version("qiskit"), "aer": version("qiskit-aer")}})
        while True:
            readable, _, _ = select.select([self.control, woken], [], [], self._patience_s())
            if woken in readable:
                with contextlib.suppress(BlockingIOError):
                    woken.recv(4096)
                self._reap()
            if self.control in readable and not self._obey():
                break
        for pid in self.children:
            _kill_group(pid)

    def _patience_s(self) -> float | None:
        """Say when to look for orphans again, of whose arrival nobody tells."""
        if self._end_orphans():
            return _ORPHANS_GONE_WITHIN_S
        return _ORPHANS_LOOKED_FOR_EVERY_S if self.children else None

    def _obey(self) -> bool:
        try:
            data, descriptors, _, _ = socket.recv_fds(self.control, 65536, 16)
        except ConnectionResetError:
            # The worker is gone, and had not read all that was said to it.
            return False
        self._descriptors.extend(descriptors)
        if not data:
            return False
        *lines, self._text = (self._text + data).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if "fork" in order:
                self._fork(order["fork"], order["scratch"])
            elif "kill" in order:
                for pid, serial in self.children.items():
                    if serial == order["kill"]:
                        _kill_group(pid)
                        # Just after the fork it does not lead a group yet. It is ours and not reaped: still its pid.
                        os.kill(pid, signal.SIGKILL)
        return True

    def _fork(self, serial: int, scratch: str) -> None:
        connection, stderr, permits = descriptors = [self._descriptors.popleft() for _ in range(_DESCRIPTORS_OF_A_FORK)]
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            # No processes or no memory left; others go on.
            _close(descriptors)
            self._say({"ended": serial, "status": None, "fault": error.strerror})
            return
        if pid == 0:
            become_executor(connection, stderr, permits, parent, scratch)
        _close(descriptors)
        self.children[pid] = serial
        self._say({"forked": serial, "pid": pid, "started": started_of(pid) or ""})

    def _reap(self) -> None:
        for pid in list(self.children):
            if not _has_ended(pid):
                continue
            # Whatever it forked is in its group, and has no business without it. Until it is reaped, the group's
            # number is nobody else's.
            _kill_group(pid)
            _, status = os.waitpid(pid, 0)
            serial = self.children.pop(pid)
            self._end_orphans()
            self._say({"ended": serial, "status": os.waitstatus_to_exitcode(status), "fault": None})

    def _end_orphans(self) -> bool:
        """Kill and reap the children that this process has not forked; return whether there were any."""
        orphans = [pid for pid in children_of(os.getpid()) if pid not in self.children]
        for pid in orphans:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, os.WNOHANG)
        return bool(orphans)

    def _say(self, message: dict[str, Any]) -> None:
        self.control.sendall(json.dumps(message).encode() + b"\n")


def _close(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _has_ended(pid: int) -> bool:
    if hasattr(os, "waitid"):
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    # macOS before Python 3.13: a zombie has no start time.
    return started_of(pid) is None


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def main(arguments: list[str]) -> None:
    """Run the template on an inherited control socket: ``template CONTROL_FD WORKER_PID``."""
    control_fd, worker_pid = map(int, arguments)
    die_with_parent(worker_pid)
    harden()
    adopt_orphans()
    control = socket.socket(fileno=control_fd)
    control.set_inheritable(False)
    # The imports are the point: every executor inherits what they load. No circuit runs here.
    try:
        import_module("aerjob_cli.executors.child").preload()
    except Exception as error:  # noqa: BLE001 - whatever an installation that does not fit together brings
        if os.environ.get("AERJOB_DEBUG", "") not in ("", "0"):
            traceback.print_exception(error)
        why = " ".join(f"{type(error).__name__}: {error}".split())
        control.sendall(json.dumps({"broken": why}).encode() + b"\n")
        sys.exit(1)
    gc.collect()
    gc.freeze()  # so that the collector of a fork does not write to, and so copy, the pages it shares
    Template(control).run()


if __name__ == "__main__":
    main(sys.argv[1:])
