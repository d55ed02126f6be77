"""Bare Aer on a circuit whose statevector is kept by hand: saved as `.npy`, synced, hashed, and loaded again.

Reads ``{"qubits", "seed", "threads", "folder"}`` and prints the seconds of each step, as JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from qiskit import qasm2
from qiskit_aer import AerSimulator

from benchmarks.circuits import BELL, shallow_circuit


def main() -> None:
    """Run the circuit, keep the state, and load it."""
    wanted = json.load(sys.stdin)
    circuit = shallow_circuit(wanted["qubits"], wanted["seed"])
    circuit.save_statevector()
    simulator = AerSimulator(method="statevector", max_parallel_threads=wanted["threads"])
    simulator.run(qasm2.loads(BELL)).result()
    moments_s = [time.perf_counter()]
    state = np.asarray(simulator.run(circuit, shots=1).result().get_statevector())
    moments_s.append(time.perf_counter())
    path = Path(wanted["folder"]) / "state.npy"
    with path.open("wb") as file:
        np.save(file, state)
        file.flush()
        os.fsync(file.fileno())
    _hash_of(path)
    moments_s.append(time.perf_counter())
    _hash_of(path)
    np.load(path)
    moments_s.append(time.perf_counter())
    path.unlink()
    run_s, keep_s, read_s = (after - before for before, after in pairwise(moments_s))
    print(json.dumps({"run_s": run_s, "keep_s": keep_s, "read_s": read_s}))


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()
