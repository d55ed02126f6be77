"""A job's result as one short text that is equal exactly when the result is, bit for bit."""

from __future__ import annotations

import hashlib
import json

from qiskit import QuantumCircuit
from qiskit.result import Result

from benchmarks.soak.tasks import Task


def outcome_of(result: Result, task: Task) -> str:
    """Give the digest of the counts, or of the amplitudes, of all experiments in their order."""
    parts = []
    for position in range(len(result.results)):
        if task.kind == "states":
            amplitudes = result.get_statevector(position).data
            parts.append([str(amplitudes.dtype), hashlib.sha256(amplitudes.tobytes()).hexdigest()])
        else:
            parts.append(sorted(result.get_counts(position).items()))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def circuits_of(task: Task) -> list[QuantumCircuit]:
    """Read the circuits of a task.

    They are named: Qiskit numbers those without a name, differently in each process, and circuits with other names are
    other circuits to an idempotency key.
    """
    circuits = [QuantumCircuit.from_qasm_str(text) for text in task.texts]
    for position, circuit in enumerate(circuits):
        circuit.name = f"{task.kind}-{position}"
    return circuits


def undisturbed(task: Task) -> str:
    """Run a task on Aer in this process, without aerjob, and give its outcome. No process may fork from this one."""
    from qiskit_aer import AerSimulator

    circuits = circuits_of(task)
    simulator = AerSimulator()
    if task.kind == "states":
        simulator = AerSimulator(method="statevector")
        for circuit in circuits:
            circuit.save_statevector()
    options = {"shots": task.shots, "seed_simulator": task.simulator_seed, "max_parallel_threads": 1}
    return outcome_of(simulator.run(circuits, **options).result(), task)
