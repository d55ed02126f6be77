"""The loop: the ground state of a chain of spins by simultaneous perturbation (SPSA), one job for each iteration.

SPSA: J. C. Spall, IEEE Transactions on Automatic Control 37, 332 (1992). All that is drawn at random has one seed,
so that a loop that is started again asks for the same evaluations. Each has an idempotency key: those that have been
submitted before are given again, finished or not, and not run a second time.

    python -m benchmarks.vqe.loop --home DIR --name NAME --iterations 100

prints the energy of each iteration as a line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

QUBITS = 6
LAYERS = 2
SEED = 7
_STEP, _STEP_DECAY = 0.25, 0.602
_SHIFT, _SHIFT_DECAY = 0.15, 0.101
_STABILITY = 10.0

Pub = tuple[QuantumCircuit, SparsePauliOp, NDArray[np.float64]]
# Gives the values of a PUB's points; the number is that of the iteration.
Evaluate = Callable[[int, Pub], NDArray[np.float64]]


def hamiltonian() -> SparsePauliOp:
    """Make the transverse-field Ising model on an open chain, at its critical point."""
    bonds = [("ZZ", [place, place + 1], -1.0) for place in range(QUBITS - 1)]
    fields = [("X", [place], -1.0) for place in range(QUBITS)]
    return SparsePauliOp.from_sparse_list([*bonds, *fields], num_qubits=QUBITS)


def ansatz() -> QuantumCircuit:
    """Make a circuit of rotations and a ring of CX gates, in layers; its parameters are the angles."""
    angles = ParameterVector("angle", QUBITS * (LAYERS + 1))
    circuit = QuantumCircuit(QUBITS, name="ansatz")
    for layer in range(LAYERS + 1):
        for place in range(QUBITS):
            circuit.ry(angles[layer * QUBITS + place], place)
        if layer < LAYERS:
            for place in range(QUBITS):
                circuit.cx(place, (place + 1) % QUBITS)
    return circuit


def descend(evaluate: Evaluate, iterations: int) -> Iterator[float]:
    """Give the mean of the two energies of each iteration, in their order."""
    source = np.random.default_rng(SEED)
    circuit, observable = ansatz(), hamiltonian()
    angles = source.uniform(-0.1, 0.1, circuit.num_parameters)
    for number in range(iterations):
        shift = _SHIFT / (number + 1) ** _SHIFT_DECAY
        direction = source.choice([-1.0, 1.0], circuit.num_parameters)
        points = np.array([angles + shift * direction, angles - shift * direction])
        above, below = evaluate(number, (circuit, observable, points))
        step = _STEP / (number + 1 + _STABILITY) ** _STEP_DECAY
        angles = angles - step * (above - below) / (2 * shift) * direction
        yield float(above + below) / 2


def durable(home: Path, name: str) -> Evaluate:
    """Evaluate by jobs of a store; the key of each is its place in the loop of that name."""
    from aerjob_cli import BasicAerProvider, DurableEstimator

    estimator = DurableEstimator(BasicAerProvider(home), seed=SEED)

    def evaluate(number: int, pub: Pub) -> NDArray[np.float64]:
        key = f"{name}/{number}"
        job = estimator.run([pub], job_name=key, tags=[name], idempotency_key=key)
        values: NDArray[np.float64] = job.result()[0].data.evs
        return values

    return evaluate


def main(arguments: list[str]) -> int:
    """Run, or go on with, a durable loop."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vqe.loop", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the store")
    parser.add_argument("--name", default="vqe", help="what the loop is called (default vqe)")
    parser.add_argument("--iterations", type=int, default=100, help="how many (default 100)")
    options: Any = parser.parse_args(arguments)
    for number, energy in enumerate(descend(durable(options.home, options.name), options.iterations)):
        print(json.dumps({"iteration": number, "energy": energy}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
