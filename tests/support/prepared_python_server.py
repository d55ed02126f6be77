"""The program that `prepared_python` asks for processes: it imports libraries, and then forks for each request.

It is run as a file, and must not import anything of the tests or of aerjob.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import struct
import sys
from dataclasses import dataclass
from typing import TextIO

# What the commands import, but for what is started for its own sake (Qiskit, NumPy, matplotlib).
_LIBRARIES = (
    *("typer", "typer.rich_utils", "rich.console", "rich.live", "rich.table", "rich.progress", "rich.markup"),
    *("sqlalchemy", "sqlalchemy.dialects.sqlite.pysqlite", "pysqlite3", "platformdirs", "packaging.requirements"),
    *("alembic.command", "alembic.config", "alembic.runtime.migration", "json", "subprocess", "email.message"),
)
_NUMBER = struct.Struct("=i")
_OWN = 4  # stdin, stdout, stderr and where the end is told


@dataclass(frozen=True)
class Request:
    """A process that is wanted."""

    module: str
    arguments: list[str]
    folder: str
    environment: dict[str, str]
    umask: int


def serve(requests: socket.socket) -> Request:
    """Fork for each request until nobody asks any more; this returns in the processes that are forked only."""
    # Ctrl-C is for the tests. A signal for each end wakes the wait.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ended, waker = os.pipe()
    for descriptor in (ended, waker):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    reports: dict[int, int] = {}
    while True:
        readable, _, _ = select.select([requests.fileno(), ended], [], [])
        if ended in readable:
            os.read(ended, 65536)
            _tell_ends(reports)
        if requests.fileno() not in readable:
            continue
        head, descriptors, _, _ = socket.recv_fds(requests, _NUMBER.size, _OWN)
        if not head:
            raise SystemExit(0)
        data = b""
        while len(data) < _NUMBER.unpack(head)[0]:
            data += requests.recv(_NUMBER.unpack(head)[0] - len(data))
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for descriptor in (requests.detach(), ended, waker, *reports.values()):
                os.close(descriptor)
            _take_streams(descriptors)
            return Request(*json.loads(data))
        reports[pid] = descriptors.pop()
        for descriptor in descriptors:
            os.close(descriptor)
        _tell(reports[pid], pid)


def _tell_ends(reports: dict[int, int]) -> None:
    with contextlib.suppress(ChildProcessError):
        while (end := os.waitpid(-1, os.WNOHANG))[0]:
            report = reports.pop(end[0])
            _tell(report, end[1])
            os.close(report)


def _tell(report: int, number: int) -> None:
    # Who asked may not wait any longer.
    with contextlib.suppress(BrokenPipeError):
        os.write(report, _NUMBER.pack(number))


def _take_streams(descriptors: list[int]) -> None:
    """Have the standard streams of a Python that was started with these."""
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    for descriptor in descriptors:
        os.close(descriptor)
    sys.stdin = _stream(0, "r", sys.stdin, buffering=-1)
    sys.stdout = _stream(1, "w", sys.stdout, buffering=-1)
    sys.stderr = _stream(2, "w", sys.stderr, buffering=1)


def _stream(number: int, mode: str, before: TextIO, *, buffering: int) -> io.TextIOWrapper:
    stream = open(  # noqa: SIM115 - open as long as the process
        number, mode, buffering, encoding=before.encoding, errors=before.errors, closefd=False
    )
    assert isinstance(stream, io.TextIOWrapper)
    return stream


def be(wanted: Request) -> None:
    """Do what ``python -m module`` does."""
    os.umask(wanted.umask)
    os.chdir(wanted.folder)
    os.environ.clear()
    os.environ.update(wanted.environment)
    sys.path.insert(0, os.getcwd())
    sys.argv = [wanted.module, *wanted.arguments]
    runpy.run_module(wanted.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file
    for library in _LIBRARIES:
        with contextlib.suppress(ImportError):  # pysqlite3 is not for every platform
            importlib.import_module(library)
    # No process that is forked looks through all of this.
    gc.collect()
    gc.freeze()
    be(serve(socket.socket(fileno=int(sys.argv[1]))))
