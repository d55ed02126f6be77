"""Having circuits parsed: the bytes go to a process of their own, since this one must survive its parser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Any

from aerjob_cli.api.requests import CircuitBytes
from aerjob_cli.errors import CircuitRefused
from aerjob_cli.executors.environment import executor_environment
from aerjob_cli.processes import signal_name


class ChildFailed(Exception):
    """The process gave no answer; the message says why, as the end of a sentence."""


def asked(
    program: str, files: Sequence[CircuitBytes], wish: Mapping[str, Any], *, takes_at_most_s: float
) -> dict[str, Any]:
    """Give files to a module that is a ``parsing_child``, with a wish, and give its answer.

    Raises ``CircuitRefused`` for what is no circuit, and ``ChildFailed``.
    """
    sizes = [{"name": file.name, "format": file.format, "size_bytes": len(file.data)} for file in files]
    message = b"".join((json.dumps({**wish, "files": sizes}).encode(), b"\n", *(file.data for file in files)))
    return _answer(program, takes_at_most_s=takes_at_most_s, input=message)


def answered(program: str, stdin: IO[bytes], *, takes_at_most_s: float) -> dict[str, Any]:
    """Give what has been written into a file to a module that is a ``parsing_child``; raises as ``asked``."""
    stdin.seek(0)
    return _answer(program, takes_at_most_s=takes_at_most_s, stdin=stdin)


def _answer(program: str, *, takes_at_most_s: float, **given: Any) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", program, str(os.getpid())],
            **given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=executor_environment(),
            timeout=takes_at_most_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ChildFailed(f"it took longer than {takes_at_most_s:g} s") from None
    if done.returncode < 0:
        raise ChildFailed(f"the process that read them died of {signal_name(-done.returncode)}")
    if done.returncode > 0:
        raise ChildFailed("the process that read them failed, perhaps for want of memory")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "refused" in answer:
        raise CircuitRefused(str(answer["refused"]), line=answer["line"], column=answer["column"])
    return answer
