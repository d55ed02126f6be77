"""What a fork of the template does first: it lets go of all that is the template's, and becomes an executor."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

from aerjob_cli.executors.hardening import OPEN_FILES
from aerjob_cli.processes import die_with_parent

_FIRST_AFTER_STDERR = 3
_OOM_SCORE = 800  # of 1000: the kernel should take an executor before anything else of the user's


def become_executor(connection: int, stderr: int, permits: int, parent: int, scratch: str) -> NoReturn:
    """Turn the forked child into an executor; never returns.

    ``connection``, ``stderr`` and ``permits`` are descriptors; ``parent`` is the pid of the template.
    """
    status = 1
    try:
        os.setsid()
        die_with_parent(parent)
        # Aer holds the GIL for a whole run, so that a Python handler would come too late: keep the defaults.
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE), encoding="ascii")
        os.dup2(stderr, 1)
        os.dup2(stderr, 2)
        # All else is the template's, or belongs to executors that are forked next.
        talking, permitting = _only_descriptors(connection, permits)
        conversation = socket.socket(fileno=talking)
        os.chdir(scratch)
        os.environ["TMPDIR"] = tempfile.tempdir = scratch
        from aerjob_cli.executors.child import serve
        from aerjob_cli.executors.grants import Permits

        with conversation:
            serve(conversation, Permits(permitting))
        status = 0
    except BaseException:  # noqa: BLE001 - the last frame of a forked process: nothing may return into the template
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(status)


def _only_descriptors(*kept: int) -> list[int]:
    """Close all descriptors but these and the standard three; give their new numbers."""
    # First out of the way, since one may have the number that another gets.
    apart = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, OPEN_FILES // 2) for descriptor in kept]
    numbers = list(range(_FIRST_AFTER_STDERR, _FIRST_AFTER_STDERR + len(kept)))
    for descriptor, number in zip(apart, numbers, strict=True):
        os.dup2(descriptor, number, inheritable=False)
    os.closerange(numbers[-1] + 1, OPEN_FILES)
    return numbers
