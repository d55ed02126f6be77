"""Bare Aer on one big circuit: reads what to run, prints the seconds it took, as JSON."""

from __future__ import annotations

import json
import sys
import time

from qiskit import qasm2
from qiskit_aer import AerSimulator

from benchmarks.circuits import BELL, SHOTS, big_circuit


def main() -> None:
    """Warm up with a small circuit, run the big one, and say how long it took."""
    wanted = json.load(sys.stdin)
    circuit = big_circuit(wanted["qubits"], wanted["seed"])
    simulator = AerSimulator(max_parallel_threads=wanted["threads"])
    simulator.run(qasm2.loads(BELL)).result()
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    result = simulator.run(circuit, shots=SHOTS, seed_simulator=wanted["seed"]).result()
    wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    print(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s, "counts": result.get_counts()}))


if __name__ == "__main__":
    main()
