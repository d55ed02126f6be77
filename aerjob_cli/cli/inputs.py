"""Reading the files of circuits that a user names. Their content is only looked at by its first bytes."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence

from aerjob_cli.api.requests import CircuitBytes
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.codec.formats import sniff_format
from aerjob_cli.errors import InputRefused, UsageError
from aerjob_cli.settings import PAYLOAD_LIMIT_BYTES

STDIN = "-"
# What the caller has opened: `<(…)` of a shell is such a name.
_OWN_DESCRIPTORS = ("/dev/fd/", "/proc/self/fd/")


def read_circuits(files: Sequence[str], format: str | None = None) -> list[CircuitBytes]:
    """Read all files, or refuse them all; ``format`` settles what else their content tells. Raises ``InputRefused``."""
    if files.count(STDIN) > 1:
        raise UsageError("stdin can be read once; give `-` one time")
    return [_read_circuit(file, format) for file in files]


def read_text(file: str, *, kind: str) -> tuple[str, str]:
    """Read a file that is text: give its name for messages and its content; raises ``InputRefused``."""
    name, data = _read(file, kind)
    try:
        return name, data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputRefused(f"{name} is not UTF-8 text; save it so", file=name) from None


def _read_circuit(file: str, format: str | None) -> CircuitBytes:
    name, data = _read(file, "a circuit")
    return CircuitBytes(name, format or sniff_format(data), data)


def _read(file: str, content: str) -> tuple[str, bytes]:
    name = "stdin" if file == STDIN else clean(os.fsencode(file).decode("utf-8", errors="replace"))
    try:
        data = _read_stdin() if file == STDIN else _read_file(file, name)
    except OSError as error:
        raise InputRefused(
            f"{name} cannot be read ({error.strerror}); check its name and permissions", file=name
        ) from error
    except ValueError as error:  # a NUL in the name
        raise InputRefused(f"{name!r} is not the name of a file; check it", file=name) from error
    if not data:
        raise InputRefused(f"{name} is empty; write {content} into it", file=name)
    if len(data) > PAYLOAD_LIMIT_BYTES:
        raise InputRefused(
            f"{name} is larger than {PAYLOAD_LIMIT_BYTES // 2**20} MiB, the limit of one file; split it", file=name
        )
    return name, data


def _read_stdin() -> bytes:
    return sys.stdin.buffer.read(PAYLOAD_LIMIT_BYTES + 1)


def _read_file(file: str, name: str) -> bytes:
    # Without O_NONBLOCK opening a FIFO would wait for its writer.
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) and (file == "/dev/stdin" or file.startswith(_OWN_DESCRIPTORS)):
            os.set_blocking(descriptor, True)
        elif not stat.S_ISREG(mode):
            raise InputRefused(
                f"{name} is {_kind(mode)}, not a file; name a file, or give `-` to read stdin", file=name
            )
        with open(descriptor, "rb", closefd=False) as opened:
            return opened.read(PAYLOAD_LIMIT_BYTES + 1)
    finally:
        os.close(descriptor)


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a pipe" if stat.S_ISFIFO(mode) else "a device"
