"""The command: `python -m benchmarks.vqe` runs the loop on Aer alone, durably, and killed in the middle.

It prints a table, and JSON with `--json FILE`. Figures are wall times of one run on this machine, and their ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit_aer.primitives import EstimatorV2

from aerjob_cli import BasicAerProvider
from aerjob_cli.states import Status
from aerjob_cli.store.listing import JobFilter
from benchmarks.vqe.loop import SEED, Pub, descend, durable

_LOOP = (sys.executable, "-m", "benchmarks.vqe.loop")
_ROUNDS = 3


def main(arguments: list[str]) -> int:
    """Run all three; return 0 when the durable loops gave what Aer gave and nothing was evaluated twice."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vqe", description=__doc__)
    parser.add_argument("--iterations", type=int, default=100, help="of each loop (default 100)")
    parser.add_argument("--json", type=Path, help="write what was measured to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="aerjob-vqe-") as folder:
        measured = _measured(Path(folder), options.iterations)
    for name, value in measured.items():
        print(f"{name:<46} {value}")
    if options.json is not None:
        options.json.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    is_right = measured["energies equal, durable and Aer"] and measured["energies equal, killed and Aer"]
    return 0 if is_right and measured["evaluations repeated after the kill"] == 0 else 1


def _measured(folder: Path, iterations: int) -> dict[str, Any]:
    home = folder / "home"
    try:
        return _compared(home, iterations)
    finally:
        _aerjob(home, "worker", "stop")


def _compared(home: Path, iterations: int) -> dict[str, Any]:
    list(descend(durable(home, "warm"), 3))  # the worker and its executors are there then
    raw_s, durable_s = [], []
    for number in range(_ROUNDS):  # side by side, so that a change of the machine's load meets both
        seconds, expected = _timed(lambda: list(descend(_raw(), iterations)))
        raw_s.append(seconds)
        loop = durable(home, f"round-{number}")
        seconds, found = _timed(lambda: list(descend(loop, iterations)))  # noqa: B023 - it is called at once
        durable_s.append(seconds)
    killed_at, killed, repeated = _killed(home, iterations)
    raw, lasting = float(np.median(raw_s)), float(np.median(durable_s))
    return {
        "iterations": iterations,
        "Aer alone, s (median)": round(raw, 3),
        "durable, s (median)": round(lasting, 3),
        "ratio": round(lasting / raw, 2),
        "durable, ms more for each iteration": round(1000 * (lasting - raw) / iterations, 2),
        "energy at the end": expected[-1],
        "energies equal, durable and Aer": found == expected,
        "killed after iteration": killed_at,
        "energies equal, killed and Aer": killed == expected,
        "evaluations repeated after the kill": repeated,
    }


def _raw() -> Callable[[int, Pub], NDArray[np.float64]]:
    estimator = EstimatorV2(options={"run_options": {"seed_simulator": SEED}})

    def evaluate(number: int, pub: Pub) -> NDArray[np.float64]:
        values: NDArray[np.float64] = estimator.run([pub]).result()[0].data.evs
        return values

    return evaluate


def _timed(work: Callable[[], list[float]]) -> tuple[float, list[float]]:
    began_s = time.perf_counter()
    found = work()
    return time.perf_counter() - began_s, found


def _killed(home: Path, iterations: int) -> tuple[int, list[float], int]:
    """Kill the loop and its worker after half of the iterations, go on, and count what was evaluated twice."""
    command = [*_LOOP, "--home", str(home), "--name", "killed", "--iterations", str(iterations)]
    done = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            done = json.loads(line)["iteration"] + 1
            if done >= iterations // 2:
                os.kill(_worker_pid(home), signal.SIGKILL)
                process.kill()
                break
    before = _attempts(home)
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    energies = [json.loads(line)["energy"] for line in ended.stdout.splitlines()]
    after = _attempts(home)
    # A job that had ended before the kill has the attempts that it had, and none is there twice.
    repeated = sum(after[key] != attempts for key, attempts in before.items()) + (len(after) - iterations)
    return done, energies, repeated


def _attempts(home: Path) -> dict[str, int]:
    """Give the attempts of the jobs that are DONE, by their ids."""
    wanted = JobFilter(tags=("killed",), statuses=(Status.DONE,))
    return {record.job_id: record.attempt for record in BasicAerProvider(home).client.listed(wanted, limit=None)}


def _worker_pid(home: Path) -> int:
    return int(json.loads(_aerjob(home, "worker", "status", "--json"))["workers"][0]["pid"])


def _aerjob(home: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "aerjob_cli", *arguments]
    ended = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "AERJOB_HOME": str(home)}
    )
    return ended.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
