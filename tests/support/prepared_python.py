"""Pythons that are forked where the libraries of others are imported already, so that a command starts in a moment.

All else of such a process is its own, as if it had been started: memory, standard streams, environment, folder, umask,
every module of aerjob, which it imports anew, and its end. What a process has from its very start, or from a parent
with other rights, it cannot be given here; `can_give` tells.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_SERVER = Path(__file__).with_name("prepared_python_server.py")
# Read where Python, its loader or a library begins.
_READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "DYLD_", "TZ", "FAKETIME", "OPENBLAS", "OMP", "QISKIT", "SQLALCHEMY")
# Before a test changes anything there.
_ENVIRONMENT = dict(os.environ)
_NUMBER = struct.Struct("=i")
_PART = 65536


class PreparedPython:
    """The server of this process; it ends with it."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._owner = os.getpid()
        self._one_at_a_time = threading.Lock()
        with theirs:
            command = [sys.executable, str(_SERVER), str(theirs.fileno())]
            subprocess.Popen(command, stdin=subprocess.DEVNULL, env=_ENVIRONMENT, pass_fds=[theirs.fileno()])

    def can_give(self, environment: Mapping[str, str]) -> bool:
        """Tell whether a process from there has all that one has which is started here and now."""
        # A fork of this process may be in another namespace or under other limits.
        return os.getpid() == self._owner and _read_at_start(environment) == _read_at_start(_ENVIRONMENT)

    def run_module(
        self, module: str, *arguments: str, folder: Path, environment: Mapping[str, str], input: bytes, timeout_s: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Do what ``subprocess.run`` does with ``python -m module``."""
        pipes = [os.pipe() for _ in range(4)]
        (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr), (told, report) = pipes
        request = json.dumps((module, arguments, str(folder), dict(environment), _umask())).encode()
        self._ask(request, (stdin, stdout, stderr, report))
        printed, complained, numbers_told = _exchange(
            to_stdin, input, (from_stdout, from_stderr, told), until_s=time.monotonic() + timeout_s
        )
        numbers = [number for (number,) in _NUMBER.iter_unpack(numbers_told)]
        command = [sys.executable, "-m", module, *arguments]
        if len(numbers) < 2:
            for pid in numbers:
                os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(command, timeout_s, printed, complained)
        return subprocess.CompletedProcess(command, os.waitstatus_to_exitcode(numbers[1]), printed, complained)

    def _ask(self, request: bytes, descriptors: Sequence[int]) -> None:
        """Ask for a process that has these descriptors, which nobody has here any more then."""
        try:
            with self._one_at_a_time:
                socket.send_fds(self._socket, [_NUMBER.pack(len(request))], descriptors)
                self._socket.sendall(request)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


def _exchange(writable: int, data: bytes, readable: Sequence[int], *, until_s: float) -> list[bytes]:
    """Write all data, and read each of the others to its end or until the time is over; all are closed then."""
    found = {descriptor: bytearray() for descriptor in readable}
    with contextlib.ExitStack() as closing, selectors.DefaultSelector() as selector:
        for descriptor in readable:
            closing.callback(os.close, descriptor)
            selector.register(descriptor, selectors.EVENT_READ)
        os.set_blocking(writable, False)
        selector.register(writable, selectors.EVENT_WRITE)
        while selector.get_map() and time.monotonic() < until_s:
            for key, _ in selector.select(until_s - time.monotonic()):
                if key.fd == writable:
                    # Who does not read has ended, or wants none of it.
                    with contextlib.suppress(BrokenPipeError):
                        data = data[os.write(writable, data[:_PART]) :] if data else data
                        if data:
                            continue
                    selector.unregister(writable)
                    os.close(writable)
                elif part := os.read(key.fd, _PART):
                    found[key.fd] += part
                else:
                    selector.unregister(key.fd)
        if writable in selector.get_map():
            os.close(writable)
    return [bytes(found[descriptor]) for descriptor in readable]


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    # This one is unwanted wherever a command is run.
    left_out = "PYTHONDONTWRITEBYTECODE"
    return {name: value for name, value in environment.items() if name.startswith(_READ_AT_START) and name != left_out}


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
