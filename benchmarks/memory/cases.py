"""Circuits whose memory is estimated: all methods, widths, shots, noise and what is saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import quantum_volume

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.noise_models import depolarizing
from aerjob_cli.codec.noise_texts import parse_noise
from aerjob_cli.codec.program import Program
from aerjob_cli.engines.aer import AerEngine

_NOISE = "depolarizing:p1=0.001,p2=0.01"


@dataclass(frozen=True)
class Case:
    """One circuit, and how it is run."""

    name: str
    circuit: Callable[[], QuantumCircuit]
    method: str = "automatic"
    shots: int = 1024
    memory: bool = False
    is_noisy: bool = False
    backend: str = "aer_simulator"
    options: Mapping[str, Any] = field(default_factory=dict)

    def program(self) -> Program:
        """Make what an engine runs."""
        noise = depolarizing(parse_noise(_NOISE)) if self.is_noisy else None
        return Program([self.circuit()], noise)

    def spec(self) -> JobSpec:
        """Make what an engine must know, with the threads that its check gives."""
        spec = JobSpec(
            job_id="",
            backend=self.backend,
            method=self.method,
            shots=self.shots,
            seed=1,
            memory=self.memory,
            threads=1,
            max_memory_mb=2**20,
            options=dict(self.options),
            counts_required=False,
        )
        return replace(spec, threads=AerEngine().check(self.program(), spec).threads)


def _volume(qubits: int, depth: int = 4) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits, qubits)
    circuit.compose(quantum_volume(qubits, depth, seed=1).decompose(), inplace=True)
    circuit.measure(range(qubits), range(qubits))
    return circuit


def _chain(qubits: int, *, measures: bool = True) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits, qubits if measures else 0)
    circuit.ry(0.3, range(qubits))
    circuit.cx(range(qubits - 1), range(1, qubits))
    if measures:
        circuit.measure(range(qubits), range(qubits))
    return circuit


def _clifford(qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits, qubits)
    circuit.h(0)
    circuit.cx(range(qubits - 1), range(1, qubits))
    circuit.measure(range(qubits), range(qubits))
    return circuit


def _measured_between(qubits: int) -> QuantumCircuit:
    circuit = _chain(qubits, measures=False)
    circuit.add_register(*QuantumCircuit(0, qubits).cregs)
    circuit.measure(0, 0)
    circuit.ry(0.2, range(qubits))
    circuit.measure(range(qubits), range(qubits))
    return circuit


def _layers(qubits: int, depth: int) -> QuantumCircuit:
    chance = np.random.default_rng(0)
    circuit = QuantumCircuit(qubits, qubits)
    for layer in range(depth):
        for qubit in range(qubits):
            circuit.ry(chance.uniform(0, 3), qubit)
            circuit.rz(chance.uniform(0, 3), qubit)
        for qubit in range(layer % 2, qubits - 1, 2):
            circuit.cx(qubit, qubit + 1)
    circuit.measure(range(qubits), range(qubits))
    return circuit


def _long(gates: int) -> QuantumCircuit:
    circuit = QuantumCircuit(4, 4)
    for number in range(gates):
        circuit.ry(0.1 * number, number % 4)
    circuit.measure(range(4), range(4))
    return circuit


def _saving(what: str, qubits: int) -> QuantumCircuit:
    circuit = _chain(qubits, measures=False)
    getattr(circuit, f"save_{what}")()
    return circuit


_SINGLE = {"precision": "single"}

CASES = (
    Case("Bell", lambda: _chain(2)),
    *(Case(f"quantum volume, {qubits} qubits", partial(_volume, qubits)) for qubits in (16, 20, 22, 24)),
    Case("quantum volume, 22 qubits, single precision", lambda: _volume(22), options=_SINGLE),
    Case("quantum volume, 24 qubits, single precision", lambda: _volume(24, 2), options=_SINGLE),
    Case("statevector of 20 qubits", lambda: _saving("statevector", 20)),
    Case("statevector of 23 qubits", lambda: _saving("statevector", 23)),
    Case("statevector of 22 qubits, single precision", lambda: _saving("statevector", 22), options=_SINGLE),
    Case("20 qubits, 100,000 shots", lambda: _volume(20, 2), shots=100_000),
    Case("10 qubits, 1,000,000 shots", lambda: _volume(10), shots=1_000_000),
    Case("16 qubits, 1,000,000 shots, each kept", lambda: _volume(16, 2), shots=1_000_000, memory=True),
    Case("measured between, 17 qubits, a state for each shot", lambda: _measured_between(17), shots=20),
    Case("measured between, 20 qubits, a state for each shot", lambda: _measured_between(20), shots=4),
    Case("noise, 20 qubits, a state for each shot", lambda: _chain(20), shots=4, is_noisy=True),
    Case("noise, 10 qubits, a density matrix", lambda: _chain(10), shots=4096, is_noisy=True),
    *(
        Case(f"density matrix, {qubits} qubits", partial(_chain, qubits), method="density_matrix")
        for qubits in (10, 11, 12)
    ),
    Case("density matrix, 11 qubits, single precision", lambda: _chain(11), method="density_matrix", options=_SINGLE),
    Case("unitary of 10 qubits", lambda: _saving("unitary", 10), method="unitary", shots=1),
    Case("unitary of 11 qubits", lambda: _saving("unitary", 11), method="unitary", shots=1),
    Case("superoperator of 6 qubits", lambda: _saving("superop", 6), method="superop", shots=1),
    Case("stabilizer, 2,000 qubits", lambda: _clifford(2000), method="stabilizer", shots=4),
    Case("stabilizer, 3,000 qubits", lambda: _clifford(3000), method="stabilizer", shots=2),
    Case("product state, 20 qubits, depth 14", lambda: _layers(20, 14), method="matrix_product_state"),
    Case("product state, 16 qubits, depth 20", lambda: _layers(16, 20), method="matrix_product_state"),
    Case("product state, 18 qubits, depth 22", lambda: _layers(18, 22), method="matrix_product_state"),
    Case("20,000 gates on 4 qubits", lambda: _long(20_000)),
    Case("100,000 gates on 4 qubits", lambda: _long(100_000)),
)
