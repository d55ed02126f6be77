"""Running one circuit in a process of its own, and how much memory it took there."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aerjob_cli.executors.environment import executor_environment
from benchmarks.memory.cases import CASES, Case


@dataclass(frozen=True)
class Measured:
    """A case, what was estimated and what it took."""

    name: str
    method: str
    estimated_bytes: int
    measured_bytes: int

    @property
    def off_by(self) -> float:
        """The error of the estimate, as a share of what was measured; more than 0 is too much."""
        return self.estimated_bytes / self.measured_bytes - 1


def measured(case: Case) -> Measured:
    """Run a case; raises ``CalledProcessError`` where its process fails."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory.measuring", case.name],
        env=executor_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def _run(case: Case) -> dict[str, Any]:
    from aerjob_cli.engines.aer import AerEngine
    from aerjob_cli.executors import child

    child.preload()
    engine, program, spec = AerEngine(), case.program(), case.spec()
    (estimate,) = engine.estimates(program, spec)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        # As an executor is forked: nothing has run in the process that it comes from.
        before = _resident_bytes()
        Path("/proc/self/clear_refs").write_text("5")
        runs = [run for chunk in engine.run(program, spec, [(0, 1)]) for run in chunk]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        os.write(writing, json.dumps([peak - before, runs[0].method]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        took_bytes, method = json.loads(told.read())
    os.waitpid(pid, 0)
    return {
        "name": case.name,
        "method": method,
        "estimated_bytes": estimate.estimated_bytes,
        "measured_bytes": took_bytes,
    }


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    print(json.dumps(_run(next(case for case in CASES if case.name == sys.argv[1]))))
