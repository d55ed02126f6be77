"""The task that Huey's consumer runs; `AERJOB_BENCH_HUEY` names the database file."""

from __future__ import annotations

import os

from huey import SqliteHuey
from qiskit import qasm2
from qiskit_aer import AerSimulator

queue = SqliteHuey(filename=os.environ["AERJOB_BENCH_HUEY"])
# As many processes as cores: each takes one.
_simulator = AerSimulator(max_parallel_threads=1)


@queue.task()  # type: ignore[untyped-decorator]
def counts_of(text: str) -> dict[str, int]:
    """Run one circuit and give its counts, which Huey stores."""
    counts: dict[str, int] = _simulator.run(qasm2.loads(text)).result().get_counts()
    return counts
