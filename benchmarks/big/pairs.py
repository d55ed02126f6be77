"""Pairs of runs of one circuit, on Aer alone and as a durable job, in turns and each first as often as the other."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from aerjob_cli import BasicAerProvider
from benchmarks.big.circuit import SHOTS, volume
from benchmarks.big.processes import cpu_s, worker_pids


class OtherCounts(Exception):
    """A durable job counted what Aer alone did not."""


@dataclass(frozen=True)
class Pair:
    """The durable job's times, each divided by those of Aer alone."""

    wall: float
    cpu: float
    raw_wall_s: float


def measured(home: Path, qubits: int, pairs: int) -> list[Pair]:
    """Run so many pairs after one that warms both up; raises ``OtherCounts``."""
    with _raw_process() as raw:
        return [_pair(home, raw, qubits, seed) for seed in range(pairs + 1)][1:]


def line_of(qubits: int, pairs: list[Pair]) -> str:
    """Write medians, and where the middle half lies."""
    wall, cpu = [pair.wall for pair in pairs], [pair.cpu for pair in pairs]
    raw_s = median(pair.raw_wall_s for pair in pairs)
    return f"{qubits:>6} {len(pairs):>5} {raw_s:>9.2f}   {_spread(wall)}   {_spread(cpu)}"


def _spread(ratios: list[float]) -> str:
    low, middle, high = quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return f"{middle:.3f} ({low:.3f} to {high:.3f})"


def _pair(home: Path, raw: subprocess.Popen[str], qubits: int, seed: int) -> Pair:
    if seed % 2:
        alone, durable = _alone(raw, qubits, seed), _durable(home, qubits, seed)
    else:
        durable, alone = _durable(home, qubits, seed), _alone(raw, qubits, seed)
    if alone["counts"] != durable["counts"]:
        raise OtherCounts(f"the counts of seed {seed} are not those of Aer alone")
    return Pair(durable["wall_s"] / alone["wall_s"], durable["cpu_s"] / alone["cpu_s"], alone["wall_s"])


def _alone(raw: subprocess.Popen[str], qubits: int, seed: int) -> dict[str, Any]:
    assert raw.stdin is not None
    assert raw.stdout is not None
    raw.stdin.write(f"{qubits} {seed}\n")
    raw.stdin.flush()
    told: dict[str, Any] = json.loads(raw.stdout.readline())
    return told


def _durable(home: Path, qubits: int, seed: int) -> dict[str, Any]:
    backend = BasicAerProvider(home).get_backend("qasm_simulator")
    circuit = volume(qubits, seed)
    pids = worker_pids(home)
    cpu, wall, own_cpu = cpu_s(pids), time.perf_counter(), time.process_time()
    result = backend.run(circuit, shots=SHOTS, seed_simulator=seed).result()
    wall, own_cpu = time.perf_counter() - wall, time.process_time() - own_cpu
    return {"wall_s": wall, "cpu_s": cpu_s(pids) - cpu + own_cpu, "counts": result.get_counts()}


@contextmanager
def _raw_process() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks.big.raw"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def warmed(home: Path) -> None:
    """Have a worker started whose executors have each run a job."""
    backend = BasicAerProvider(home).get_backend("qasm_simulator")
    for job in [backend.run(volume(2, seed)) for seed in range(8)]:
        job.result()
