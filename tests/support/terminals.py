"""A command on a terminal of its own, in a forked process: without the start-up, so that there can be many."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import signal
import sys
from collections.abc import Mapping

from aerjob_cli.cli.boundary import run
from aerjob_cli.cli.completion import answer


def printed_on_a_terminal(*arguments: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run one command on a wide terminal; give its exit code and all that was sent there."""
    pid, master = pty.fork()
    if pid == 0:
        _be(arguments, environment)
    read = b""
    # An error is Linux's way to say that the other end is closed.
    with contextlib.suppress(OSError):
        while part := os.read(master, 65536):
            read += part
    os.close(master)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), read.decode("utf-8", errors="surrogateescape")


def _be(arguments: tuple[str, ...], environment: Mapping[str, str]) -> None:
    exit_code = 99
    try:
        os.environ.update({"TERM": "xterm-256color", "COLUMNS": "2000", **environment})
        for name in ("NO_COLOR", "FORCE_COLOR"):
            os.environ.pop(name, None)
        # Nobody types anything.
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdin, sys.stdout, sys.stderr = (
            io.TextIOWrapper(open(number, mode, closefd=False), encoding="utf-8", line_buffering=True)  # noqa: SIM115
            for number, mode in ((0, "rb"), (1, "wb"), (2, "wb"))
        )
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if arguments[:1] == ("__complete",):
            answer(arguments[1:])
            exit_code = 0
        else:
            exit_code = run(arguments)
    finally:
        os._exit(exit_code)
