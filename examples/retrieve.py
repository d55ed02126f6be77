"""Submit in one process, read the result in another.

python retrieve.py          submits a circuit and prints the id of the job
python retrieve.py ID       waits for that job if need be, and prints its counts
"""

from __future__ import annotations

import sys

from qiskit import QuantumCircuit

from aerjob_cli import BasicAerProvider


def submit() -> str:
    """Submit a Bell pair; the job is on the disk before ``run()`` returns."""
    bell = QuantumCircuit(2, name="bell")
    bell.h(0)
    bell.cx(0, 1)
    bell.measure_all()
    job = BasicAerProvider().get_backend("qasm_simulator").run(bell, shots=1000)
    return str(job.job_id())


def retrieve(job_id: str) -> dict[str, int]:
    """Give the counts of a job that any process has submitted, any day."""
    return dict(BasicAerProvider().retrieve_job(job_id).result(timeout=60).get_counts())


if __name__ == "__main__":
    print(retrieve(sys.argv[1]) if len(sys.argv) > 1 else submit())
