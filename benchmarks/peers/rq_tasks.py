"""The function that RQ's workers run."""

from __future__ import annotations

from qiskit import qasm2
from qiskit_aer import AerSimulator

# As many workers as cores: each takes one.
_simulator = AerSimulator(max_parallel_threads=1)


def counts_of(text: str) -> dict[str, int]:
    """Run one circuit and give its counts, which RQ stores."""
    counts: dict[str, int] = _simulator.run(qasm2.loads(text)).result().get_counts()
    return counts
