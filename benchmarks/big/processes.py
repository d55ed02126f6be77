"""The CPU time of a worker and all its processes, and of one process; Linux only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def aerjob(home: Path, *arguments: str) -> str:
    """Run a command of the command line in a store; give what it writes to stdout."""
    environment = {**os.environ, "AERJOB_HOME": str(home)}
    command = [sys.executable, "-m", "aerjob_cli", *arguments]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def worker_pids(home: Path) -> list[int]:
    """Give the pids of the worker, its template and its executors."""
    told: dict[str, Any] = json.loads(aerjob(home, "worker", "status", "--json"))
    return [process["pid"] for worker in told["workers"] for process in worker["processes"]]


def cpu_s(pids: list[int]) -> float:
    """Add up the CPU time that processes have had; raises ``FileNotFoundError`` when one has ended."""
    ticks = 0
    for pid in pids:
        # proc(5): the command is in parentheses and may hold anything; fields 14 and 15 are the times.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS_PER_S
