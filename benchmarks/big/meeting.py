"""Small jobs beside a big one: how long each takes there, and alone."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from aerjob_cli import BasicAerProvider
from benchmarks.big.circuit import volume


def table(home: Path, qubits: int, rounds: int) -> list[str]:
    """Run a big job alone, then with small ones beside it, then as many small ones alone; give lines with medians."""
    alone_s, beside_s, small_alone_s, small_beside_s = [], [], [], []
    for seed in range(rounds):
        alone_s.append(_big_s(home, qubits, seed))
        latencies_s: list[float] = []
        beside_s.append(_big_s(home, qubits, seed, latencies_s))
        small_beside_s += latencies_s
        small_alone_s += [_small_s(home, number) for number in range(len(latencies_s))]
    return [
        f"{'a big job, alone':<34} {median(alone_s):>8.2f} s",
        f"{'a big job, small ones beside it':<34} {median(beside_s):>8.2f} s",
        f"{'a small job, alone':<34} {median(small_alone_s):>8.4f} s",
        f"{'a small job, beside a big one':<34} {median(small_beside_s):>8.4f} s",
    ]


def _big_s(home: Path, qubits: int, seed: int, small_s: list[float] | None = None) -> float:
    """Run a big job and give how long it took; with a list, run small ones meanwhile, and add how long those took."""
    job = BasicAerProvider(home).get_backend("qasm_simulator").run(volume(qubits, seed))
    while small_s is not None and not job.in_final_state():
        small_s.append(_small_s(home, len(small_s)))
    job.result()
    assert job.started_at is not None
    assert job.finished_at is not None
    return (job.finished_at - job.started_at).total_seconds()


def _small_s(home: Path, seed: int) -> float:
    began_s = time.perf_counter()
    BasicAerProvider(home).get_backend("qasm_simulator").run(volume(2, seed)).result()
    return time.perf_counter() - began_s
