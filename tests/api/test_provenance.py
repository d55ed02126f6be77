"""Where results come from: what jobs that really ran have noted, and who sees it."""

from __future__ import annotations

import math
import platform

import numpy
import pytest
import qiskit
import qiskit_aer
from qiskit import QuantumCircuit
from qiskit.circuit.library import QFTGate
from qiskit_aer import AerSimulator

import aerjob_cli.version
from aerjob_cli import BasicAerProvider
from aerjob_cli.api.job_errors import JobCancelled, NotFinal
from aerjob_cli.states import Status
from tests.api.conftest import circuit_of_bell

PATIENCE_S = 60.0
SEED = 2**63 - 1  # the largest of a job; those of its later experiments are larger


def circuits() -> list[QuantumCircuit]:
    dense = QuantumCircuit(3, 3)
    dense.append(QFTGate(3), range(3))
    dense.measure(range(3), range(3))
    return [circuit_of_bell(), dense]


def test_a_job_says_how_it_came_to_its_result(working: BasicAerProvider) -> None:
    job = working.get_backend("qasm_simulator").run(circuits(), shots=50, seed_simulator=SEED)
    result = job.result(timeout=PATIENCE_S)
    provenance = job.provenance()
    (attempt,) = provenance.attempts
    assert attempt.attempt == 1
    assert attempt.runtime is not None
    versions = {
        "aerjob": aerjob_cli.version.__version__,
        "python": platform.python_version(),
        "qiskit": qiskit.__version__,
        "qiskit_aer": qiskit_aer.__version__,
        "numpy": numpy.__version__,
    }
    assert attempt.runtime.items() >= versions.items()
    assert attempt.runtime["cpu"]
    assert provenance.methods == ("stabilizer", "statevector")
    assert [experiment.position for experiment in provenance.experiments] == [0, 1]
    for experiment, given in zip(provenance.experiments, result.results, strict=True):
        assert (experiment.run.seed, experiment.attempt) == (given.seed_simulator, 1)
        assert experiment.run.method == given.metadata["method"]
        assert experiment.run.threads == 1
        assert 0 < (experiment.run.time_taken_s or 0) < PATIENCE_S
        assert (experiment.run.peak_rss_bytes or 2**26) > 2**25
    assert provenance.experiments[1].run.seed == SEED + 2113
    assert provenance.time_taken_s == pytest.approx(
        math.fsum(experiment.run.time_taken_s or 0 for experiment in provenance.experiments)
    )


def test_the_executed_circuits_give_the_counts(working: BasicAerProvider) -> None:
    job = working.get_backend("qasm_simulator").run(circuits(), shots=50, seed_simulator=5)
    executed = job.circuits(executed=True)
    assert "qft" in job.circuits()[1].count_ops()
    assert "qft" not in executed[1].count_ops()
    again = AerSimulator().run(executed, shots=50, seed_simulator=5, max_parallel_threads=1).result()
    assert again.get_counts() == job.result(timeout=PATIENCE_S).get_counts()


def test_verifying_makes_a_new_job_that_gives_the_same(working: BasicAerProvider) -> None:
    job = working.get_backend("statevector_simulator").run(circuits(), seed_simulator=5)
    job.result(timeout=PATIENCE_S)
    comparison = job.verify(timeout=PATIENCE_S)
    assert comparison.identical
    assert comparison.experiments_compared == 2
    # The same executor has run both: nothing was otherwise.
    assert comparison.conditions == ()
    assert all(attempt.runtime is not None for attempt in job.provenance().attempts)
    assert comparison.second.retry_of == job.job_id()
    assert comparison.second.status is Status.DONE
    # An equal request, and so equal hashes, though the jobs are two.
    again = working.retrieve_job(comparison.second.job_id)
    assert again.provenance().options_sha256 == job.provenance().options_sha256
    other = working.get_backend("statevector_simulator").run(circuits(), seed_simulator=6)
    other.result(timeout=PATIENCE_S)
    differing = job.compare(other)
    assert {difference.what for difference in differing.differences} >= {"counts", "seed_simulator"}
    assert other.provenance().options_sha256 != job.provenance().options_sha256


def test_only_what_has_a_result_can_be_verified(idle: BasicAerProvider) -> None:
    job = idle.get_backend("qasm_simulator").run(circuit_of_bell())
    with pytest.raises(NotFinal, match="QUEUED"):
        job.verify()
    with pytest.raises(NotFinal, match="QUEUED"):
        job.compare(job)
    job.cancel()
    with pytest.raises(JobCancelled):
        job.verify()
    assert len(idle.jobs()) == 1
    assert job.provenance().attempts == ()
