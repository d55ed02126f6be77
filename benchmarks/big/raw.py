"""A process that runs circuits on Aer as a script would, one for each line of stdin, and tells times as JSON lines."""

from __future__ import annotations

import json
import resource
import sys
import time

from qiskit_aer import AerSimulator

from benchmarks.big.circuit import SHOTS, volume


def main() -> None:
    """Answer each line ``QUBITS SEED`` with ``[wall seconds, CPU seconds]``."""
    simulator = AerSimulator()
    for line in sys.stdin:
        qubits, seed = map(int, line.split())
        circuit = volume(qubits, seed)
        cpu, wall = _cpu_s(), time.perf_counter()
        result = simulator.run(circuit, shots=SHOTS, seed_simulator=seed).result()
        wall, cpu = time.perf_counter() - wall, _cpu_s() - cpu
        print(json.dumps({"wall_s": wall, "cpu_s": cpu, "counts": result.get_counts()}), flush=True)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
