"""Writing to stdout and stderr when they are closed, full, or read by somebody who has left."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import stat
import sys
import threading
import time
from collections.abc import Iterator

from aerjob_cli.errors import OutputLost

_STANDARD = (0, 1, 2)
_CLOSED = (errno.EBADF, errno.EPIPE)
# Of this process, as stdout is: set when it had a reader who has left, when it was closed from the start, and when
# something could not be written to it.
_LEFT = threading.Event()
_WAS_CLOSED = threading.Event()
_LOST = threading.Event()


def repair() -> None:
    """Put /dev/null where a standard stream is closed, so that no file of the store gets its number."""
    for descriptor in _STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number, which is this one: those below are open by now.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
            if descriptor == 1:
                _WAS_CLOSED.set()
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - open as long as the process
            setattr(sys, name, stream)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def to_stdout(text: str) -> None:
    """Write the answer. A reader who has left wants no more; raises ``OutputLost`` for any other failure."""
    if not text:
        return
    with _answering():
        sys.stdout.write(text)
        sys.stdout.flush()


def bytes_to_stdout(data: bytes) -> None:
    """Write an answer, or a part of one, that is not text of the terminal's encoding; raises ``OutputLost``."""
    with _answering():
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def reader_has_left() -> bool:
    """Tell whether what is still to come would be written for nobody."""
    return _LEFT.is_set()


def is_lost() -> bool:
    """Tell whether something could not be written to stdout, where nothing more can be told then."""
    return _LOST.is_set()


def to_stderr(text: str) -> None:
    """Write what is not the answer; where that cannot be, there is nobody to tell."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _silence(2)


def stays_read(for_s: float) -> bool:
    """Wait that long, or until the reader of stdout has left; tell whether there is one still."""
    if reader_has_left() or _WAS_CLOSED.is_set():
        return False
    mode = os.fstat(1).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        time.sleep(for_s)
        return True
    # No event is asked for: those that are always told of are the ends.
    ends = select.poll()
    ends.register(1, 0)
    return not ends.poll(for_s * 1000)


def is_terminal() -> bool:
    """Tell whether a person reads stdout."""
    return sys.stdout.isatty()


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    if _WAS_CLOSED.is_set():
        _LOST.set()
        raise OutputLost("stdout is closed")
    try:
        yield
    except OSError as error:
        _silence(1)
        if error.errno not in _CLOSED:
            _LOST.set()
            raise OutputLost(error.strerror or str(error)) from error
        _LEFT.set()


def _silence(descriptor: int) -> None:
    # What is left in the buffer must not fail again when Python ends.
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, descriptor)
        os.close(null)
