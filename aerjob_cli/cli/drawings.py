"""Having circuits drawn: the bytes go to a process of their own, since this one must survive its parser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from aerjob_cli.api.requests import CircuitBytes
from aerjob_cli.cli.answers.drawing import Drawing
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.errors import CircuitRefused, DrawingFailed
from aerjob_cli.executors.environment import executor_environment
from aerjob_cli.frozen import dataclass
from aerjob_cli.processes import signal_name

_TAKES_AT_MOST_S = 20.0
_COMMAND = (sys.executable, "-P", "-m", "aerjob_cli.cli.drawing_child")


@dataclass(frozen=True)
class Drawn:
    """Drawings, how many circuits there are, and the versions of what translated them, if that was done."""

    drawings: tuple[Drawing, ...]
    total: int
    versions: Mapping[str, str]


def draw(
    files: Sequence[CircuitBytes],
    *,
    width: int,
    experiment: int | None,
    subject: str,
    executed_as: JobSpec | None = None,
) -> Drawn:
    """Draw circuits in lines of ``width`` characters, all (but no more than 20) or the one at ``experiment``.

    With ``executed_as`` they are drawn as the simulator of that job gets them. Raises ``CircuitRefused`` for what is no
    circuit, and ``DrawingFailed``; ``subject`` says of what.
    """
    spec = None if executed_as is None else asdict(executed_as)
    answer = _asked(files, {"width": width, "experiment": experiment, "executed_as": spec}, subject)
    if "refused" in answer:
        raise CircuitRefused(str(answer["refused"]), line=answer["line"], column=answer["column"])
    drawings = tuple(Drawing(**drawing) for drawing in answer["drawings"])
    return Drawn(drawings, int(answer["total"]), dict(answer["versions"]))


def _asked(files: Sequence[CircuitBytes], wish: dict[str, Any], subject: str) -> dict[str, Any]:
    sizes = [{"name": file.name, "format": file.format, "size_bytes": len(file.data)} for file in files]
    message = b"".join((json.dumps(wish | {"files": sizes}).encode(), b"\n", *(file.data for file in files)))
    try:
        done = subprocess.run(
            [*_COMMAND, str(os.getpid())],
            input=message,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=executor_environment(),
            timeout=_TAKES_AT_MOST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _failed(subject, f"it took longer than {_TAKES_AT_MOST_S:g} s") from None
    if done.returncode < 0:
        raise _failed(subject, f"the process that drew them died of {signal_name(-done.returncode)}")
    if done.returncode > 0:
        raise _failed(subject, "the process that drew them failed, perhaps for want of memory")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _failed(subject: str, fact: str) -> DrawingFailed:
    return DrawingFailed(f"{subject} cannot be drawn: {fact}; `aerjob show ID --source` gives what was submitted")
