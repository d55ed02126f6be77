"""A process that parses what strangers wrote, for a command: it has limits, and nothing to lose.

stdin: one line of JSON, {"files": [{"name", "format", "size_bytes"}…], …}, then the files' bytes; what else is wished
for is the program's own. stdout: one JSON value, its answer, or {"refused", "line", "column"}. Its argument is its
parent's pid.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, BinaryIO

from aerjob_cli.errors import BackendUnusable, CircuitRefused
from aerjob_cli.executors.hardening import harden, lower
from aerjob_cli.executors.runtime import runtime_facts
from aerjob_cli.processes import die_with_parent

# Importing Qiskit alone maps more than 1 GiB; the wall clock is the parent's business.
_ADDRESS_SPACE_BYTES = 4 * 2**30
_CPU_S = 30


def answer(make: Callable[[BinaryIO, dict[str, Any]], dict[str, Any]], *, imports: Sequence[str] = ()) -> None:
    """Answer what stdin asks by ``make``, which gets it behind its first line, and that line.

    ``imports`` are imported before the process can do nothing any more but compute; "cpu_s" of that line is for how
    many seconds it may.
    """
    die_with_parent(int(sys.argv[1]))
    harden()
    stdin = sys.stdin.buffer
    header = json.loads(stdin.readline())
    for name in imports:
        import_module(name)
    runtime_facts()
    lower(resource.RLIMIT_FSIZE, 0)
    lower(resource.RLIMIT_CPU, header.get("cpu_s", _CPU_S))
    lower(resource.RLIMIT_AS, _ADDRESS_SPACE_BYTES)
    # Whatever a parser prints is no part of the answer.
    told = os.dup(1)
    os.dup2(2, 1)
    try:
        content = make(stdin, header)
    except CircuitRefused as error:
        content = {"refused": error.message, "line": error.line, "column": error.column}
    except BackendUnusable as error:
        content = {"refused": error.message, "line": None, "column": None}
    with os.fdopen(told, "w", encoding="ascii") as stdout:
        json.dump(content, stdout)


def files_in(stdin: BinaryIO, header: dict[str, Any]) -> Iterator[tuple[str, bytes, str]]:
    """Give format, bytes and name of each file."""
    for file in header["files"]:
        yield file["format"], stdin.read(file["size_bytes"]), file["name"]
