"""Bare Aer: one process that parses each text, runs it and drops the result.

Reads ``{"texts", "threads"}`` and prints the seconds, as JSON. ``threads`` is null for Aer's default.
"""

from __future__ import annotations

import json
import sys
import time

from qiskit import qasm2
from qiskit_aer import AerSimulator

_WARM_UP = 20


def main() -> None:
    """Run the loop, and say how long it took."""
    wanted = json.load(sys.stdin)
    texts, threads = wanted["texts"], wanted["threads"]
    simulator = AerSimulator() if threads is None else AerSimulator(max_parallel_threads=threads)
    for text in texts[:_WARM_UP]:
        simulator.run(qasm2.loads(text)).result().get_counts()
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    for text in texts[_WARM_UP:]:
        simulator.run(qasm2.loads(text)).result()
    print(json.dumps({"wall_s": time.perf_counter() - began_s, "cpu_s": time.process_time() - began_cpu_s}))


if __name__ == "__main__":
    main()
