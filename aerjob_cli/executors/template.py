"""The template: a process that has imported Qiskit and Aer, and does nothing but fork executors from itself.

It has never run a circuit nor parsed anything, so a fork of it is safe and costs milliseconds where a fresh import
costs half a second. It owns its executors: it alone signals and reaps them, so that a signal never meets a reused
pid. It stays single-threaded, ends when the worker's socket closes, and on Linux dies with the worker.

Over its control socket it reads JSON lines, ``{"fork": serial}`` (with two descriptors: the executor's socket and its
stderr) and ``{"kill": serial}``, and writes ``{"ready": …}``, ``{"forked": serial, "pid", "started"}`` and
``{"ended": serial, "status"}``.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import select
import signal
import socket
import sys
from collections import deque
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from aerjob_cli.processes import die_with_parent, started_of

_DESCRIPTORS_OF_A_FORK = 2
_OOM_SCORE = 800  # of 1000: the kernel should take an executor before anything else of the user's


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
            readable, _, _ = select.select([self.control, woken], [], [])
            if woken in readable:
                with contextlib.suppress(BlockingIOError):
                    woken.recv(4096)
                self._reap()
            if self.control in readable and not self._obey():
                break
        for pid in self.children:
            _kill_group(pid)

    def _obey(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self.control, 65536, 16)
        self._descriptors.extend(descriptors)
        if not data:
            return False
        *lines, self._text = (self._text + data).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if "fork" in order:
                self._fork(order["fork"])
            elif "kill" in order:
                for pid, serial in self.children.items():
                    if serial == order["kill"]:
                        _kill_group(pid)
                        # Just after the fork it does not lead a group yet. It is ours and not reaped: still its pid.
                        os.kill(pid, signal.SIGKILL)
        return True

    def _fork(self, serial: int) -> None:
        connection, stderr = (self._descriptors.popleft() for _ in range(_DESCRIPTORS_OF_A_FORK))
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            # No processes or no memory left; others go on.
            sys.stderr.write(f"aerjob: an executor could not be forked ({error.strerror})\n")
            os.close(connection)
            os.close(stderr)
            self._say({"ended": serial, "status": None})
            return
        if pid == 0:
            self.control.close()
            _become_executor(connection, stderr, parent)
        os.close(connection)
        os.close(stderr)
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
            self._say({"ended": self.children.pop(pid), "status": os.waitstatus_to_exitcode(status)})

    def _say(self, message: dict[str, Any]) -> None:
        self.control.sendall(json.dumps(message).encode() + b"\n")


def _has_ended(pid: int) -> bool:
    if hasattr(os, "waitid"):
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    # macOS before Python 3.13: a zombie has no start time.
    return started_of(pid) is None


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _become_executor(connection: int, stderr: int, parent: int) -> None:
    """Turn the forked child into an executor; never returns."""
    status = 1
    try:
        os.setsid()
        die_with_parent(parent)
        # Aer holds the GIL for a whole run, so that a Python handler would come too late: keep the defaults.
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE), encoding="ascii")
        os.dup2(stderr, 1)
        os.dup2(stderr, 2)
        os.close(stderr)
        from aerjob_cli.executors.child import serve

        with socket.socket(fileno=connection) as conversation:
            serve(conversation)
        status = 0
    except BaseException:  # noqa: BLE001 - the last frame of a forked process: nothing may return into the template
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(status)


def main(arguments: list[str]) -> None:
    """Run the template on an inherited control socket: ``template CONTROL_FD WORKER_PID``."""
    control_fd, worker_pid = map(int, arguments)
    die_with_parent(worker_pid)
    control = socket.socket(fileno=control_fd)
    control.set_inheritable(False)
    # The imports are the point: every executor inherits what they load. No circuit runs here.
    import_module("aerjob_cli.executors.child").preload()
    gc.collect()
    gc.freeze()  # so that the collector of a fork does not write to, and so copy, the pages it shares
    Template(control).run()


if __name__ == "__main__":
    main(sys.argv[1:])
