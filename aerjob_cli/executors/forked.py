"""What a fork of the template does first: it lets go of all that is the template's, and becomes an executor."""

from __future__ import annotations

import contextlib
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


def become_executor(connection: int, stderr: int, parent: int, scratch: str) -> NoReturn:
    """Turn the forked child into an executor; never returns."""
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
        conversation = socket.socket(fileno=_only_descriptor(connection))
        os.chdir(scratch)
        os.environ["TMPDIR"] = tempfile.tempdir = scratch
        from aerjob_cli.executors.child import serve

        with conversation:
            serve(conversation)
        status = 0
    except BaseException:  # noqa: BLE001 - the last frame of a forked process: nothing may return into the template
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(status)


def _only_descriptor(kept: int) -> int:
    """Close all descriptors but this one and the standard three; give its new number."""
    if kept != _FIRST_AFTER_STDERR:
        os.dup2(kept, _FIRST_AFTER_STDERR, inheritable=False)
    os.closerange(_FIRST_AFTER_STDERR + 1, OPEN_FILES)
    return _FIRST_AFTER_STDERR
