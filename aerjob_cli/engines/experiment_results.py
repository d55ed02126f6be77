"""Makes the result of an experiment from what a simulator counted, in the form in which Qiskit's simulators have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.result.models import ExperimentResult, ExperimentResultData, MeasLevel

from aerjob_cli.codec.jobspec import JobSpec

_WORD = 2**32


def experiment_result(
    circuit: QuantumCircuit,
    spec: JobSpec,
    seed: int,
    *,
    counts: Mapping[int, int] | None = None,
    about: Mapping[str, Any] | None = None,
    **data: Any,
) -> ExperimentResult:
    """Give the result of ``circuit``, whose registers say how the counts are written.

    ``counts`` has the number of shots for each value of the classical bits (bit i of the number is bit i of the
    circuit), and None stands for a circuit that measures nothing. ``about`` is what the simulator says of the run
    itself, as its ``metadata`` and ``time_taken``. ``data`` is what else the result has, by name; NumPy arrays and
    Qiskit's ``Statevector`` are stored as they are. A job that wants the outcome of each shot gets the counted ones in
    a random order of the seed's: shots do not depend on one another, so that every order is as likely.
    """
    if counts is not None and circuit.num_clbits:
        ordered = {value: int(counts[value]) for value in sorted(counts)}
        data["counts"] = {hex(value): number for value, number in ordered.items()}
        if spec.memory:
            data["memory"] = _shuffled(ordered, seed)
    return ExperimentResult(
        shots=spec.shots,
        success=True,
        meas_level=MeasLevel.CLASSIFIED,
        status="DONE",
        seed_simulator=seed,
        data=ExperimentResultData(**data),
        header=_header(circuit),
        **(about or {}),
    )


def _shuffled(counts: Mapping[int, int], seed: int) -> list[str]:
    outcomes = [hex(value) for value, number in counts.items() for _ in range(number)]
    # The older generator of NumPy, whose sequences never change.
    source = np.random.RandomState([seed % _WORD, seed // _WORD])
    return [outcomes[place] for place in source.permutation(len(outcomes))]


def _header(circuit: QuantumCircuit) -> dict[str, Any]:
    return {
        "creg_sizes": [[register.name, register.size] for register in circuit.cregs],
        "global_phase": float(circuit.global_phase),
        "memory_slots": circuit.num_clbits,
        "n_qubits": circuit.num_qubits,
        "name": circuit.name,
        "qreg_sizes": [[register.name, register.size] for register in circuit.qregs],
        "metadata": circuit.metadata or {},
    }
