"""Runs circuits on Qiskit's ``BasicSimulator``: written in Python, slow, and independent of Aer.

It draws the outcomes of a batch from one generator, so that a circuit's counts would depend on those before it. Here
each experiment runs alone, with its own seed by the rule of all engines: experiment i of a job with seed s gives what
``BasicSimulator().run(circuit, seed_simulator=(s + 2113·i) mod 2^64)`` gives.
"""

from __future__ import annotations

from functools import lru_cache

import qiskit
from qiskit import QuantumCircuit
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.result.models import ExperimentResult

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.engines.memory import fits_job, needed_bytes, why_not
from aerjob_cli.engines.one_by_one import OneByOneEngine
from aerjob_cli.engines.translation import GateSet
from aerjob_cli.errors import CircuitRefused, brief
from aerjob_cli.memory import in_words

# It applies a gate by ``numpy.einsum``, with a letter for each qubit and each of the gate's.
_LETTERS = 26
_STATES_AT_ONCE = 2  # before and after a gate
_CALL_BYTES = 2**21  # of any call, however small


class BasicEngine(OneByOneEngine):
    """The engine of Qiskit's own simulator."""

    @property
    def version(self) -> str:
        return f"qiskit {qiskit.__version__}"

    def gates(self, method: str) -> GateSet:
        return _gates()

    def run_circuit(self, circuit: QuantumCircuit, spec: JobSpec, seed: int) -> ExperimentResult:
        job = BasicSimulator().run(circuit, shots=spec.shots, seed_simulator=seed, memory=spec.memory)
        return job.result().results[0]

    def check_width(self, circuit: QuantumCircuit, spec: JobSpec) -> None:
        super().check_width(circuit, spec)
        needed = _STATES_AT_ONCE * (needed_bytes("statevector", circuit.num_qubits) or 0)
        if not fits_job(needed, spec):
            raise CircuitRefused(
                f"circuit {brief(circuit.name)} needs {in_words(needed)} for {circuit.num_qubits} qubits; "
                f"{why_not(needed, spec)}"
            )

    def estimated_bytes(self, circuit: QuantumCircuit, spec: JobSpec) -> int | None:
        return _CALL_BYTES + _STATES_AT_ONCE * (needed_bytes("statevector", circuit.num_qubits) or 0)

    def check_circuit(self, circuit: QuantumCircuit, spec: JobSpec) -> None:
        for instruction in circuit.data:
            if instruction.name != "barrier" and circuit.num_qubits + len(instruction.qubits) > _LETTERS:
                raise CircuitRefused(
                    f"circuit {brief(circuit.name)} has {brief(instruction.name)} on {len(instruction.qubits)} of "
                    f"{circuit.num_qubits} qubits, and {spec.backend} takes {_LETTERS} of both together; "
                    "use smaller gates, or qasm_simulator"
                )


@lru_cache
def _gates() -> GateSet:
    target = BasicSimulator().target
    return GateSet(
        label="basic_simulator",
        remedy="leave it out, or use qasm_simulator",
        names=frozenset(target.operation_names) | {"barrier"},
        target=target,
        has_open_controls=False,
    )
