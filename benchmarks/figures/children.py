"""Programs that are measured from outside: their wall time, their CPU time, and what they say of themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What would change what a program does, or make it compile every module anew.
_UNWANTED = (
    *("AERJOB_BACKEND", "AERJOB_SHOTS", "AERJOB_OUTPUT", "AERJOB_DEBUG"),
    *("PYTHONDONTWRITEBYTECODE", "COLUMNS", "FORCE_COLOR"),
)


@dataclass(frozen=True)
class Spent:
    """What a program took, in seconds; the CPU time is that of all its threads and of children it has waited for."""

    wall_s: float
    cpu_s: float


def environment(home: Path) -> dict[str, str]:
    """Give the variables of a program that is measured."""
    return {name: value for name, value in os.environ.items() if name not in _UNWANTED} | {"AERJOB_HOME": str(home)}


def spent_by(command: Sequence[str], env: dict[str, str]) -> Spent:
    """Run a program to its end, which must be a good one; what it prints is thrown away."""
    began_s = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - began_s
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with code {process.returncode}")
    return Spent(wall_s, usage.ru_utime + usage.ru_stime)


def aerjob(*arguments: str) -> list[str]:
    """Give the command of aerjob as users have it: the installed program, or the module where there is none."""
    program = Path(sys.executable).with_name("aerjob")
    return [*([str(program)] if program.exists() else [sys.executable, "-m", "aerjob_cli"]), *arguments]


def told_by(module: str, *arguments: str, given: object) -> dict[str, Any]:
    """Run a module of ours in a fresh process, give it a value as JSON, and give the value that it prints."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        input=json.dumps(given),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={name: value for name, value in os.environ.items() if name not in _UNWANTED},
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told
