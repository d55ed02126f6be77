"""Results of jobs that really run: equal to Aer's own, in any thread and process, and refused when damaged."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2
from qiskit.providers import JobError, JobStatus
from qiskit.quantum_info import SparsePauliOp
from qiskit.result import Result
from qiskit_aer import AerSimulator
from sqlalchemy import text

from aerjob_cli import BasicAerProvider
from aerjob_cli.api.backend import BasicAerBackend
from aerjob_cli.api.backend_errors import RunRefused
from aerjob_cli.api.job_errors import JobCancelled, StoredBytesDamaged
from tests.api.conftest import InAnotherProcess

PATIENCE_S = 60.0
# What differs from run to run is not part of a result.
PASSING = {"backend_name", "backend_version", "job_id", "date", "time_taken", "metadata"}
PASSING_OF_EXPERIMENT = {"time_taken"}
PASSING_METADATA = {
    "time_taken",
    "sample_measure_time",
    "parallel_shots",
    "parallel_state_update",
    "max_memory_mb",
    # Aer gives the widest circuit's of the whole call, so that it depends on how a job was cut into calls.
    "num_clbits",
}


def content(result: Result) -> dict[str, Any]:
    """Give what two results must have in common."""
    whole = {key: value for key, value in result.to_dict().items() if key not in PASSING}
    whole["results"] = [
        {key: value for key, value in experiment.items() if key not in PASSING_OF_EXPERIMENT}
        | {"metadata": {k: v for k, v in experiment["metadata"].items() if k not in PASSING_METADATA}}
        for experiment in whole["results"]
    ]
    return whole


def teleported() -> QuantumCircuit:
    """Measurements in the middle, feed-forward, two classical registers."""
    qubits, first, last = QuantumRegister(2, "q"), ClassicalRegister(1, "first"), ClassicalRegister(2, "last")
    circuit = QuantumCircuit(qubits, first, last, name="feed forward", metadata={"theta": 0.3, "list": [1, None, "é"]})
    circuit.ry(0.3, 0)
    circuit.measure(0, first[0])
    with circuit.if_test((first, 1)):
        circuit.x(1)
    circuit.reset(0)
    circuit.h(0)
    circuit.measure(qubits, last)
    return circuit


def own_gate() -> QuantumCircuit:
    inner = QuantumCircuit(2, name="entangler")
    inner.h(0)
    inner.cx(0, 1)
    circuit = QuantumCircuit(3, 3, global_phase=0.25)
    circuit.append(inner.to_gate(), [0, 2])
    circuit.t(1)
    circuit.rzz(0.7, 0, 1)
    circuit.measure([0, 1, 2], [2, 1, 0])
    return circuit.decompose("entangler")


def unmeasured() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    return circuit


@pytest.fixture
def batch(bell: QuantumCircuit) -> list[QuantumCircuit]:
    return [bell, teleported(), own_gate(), unmeasured(), *(bell.copy(f"copy {index}") for index in range(20))]


@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize("seed", [0, 12345, 2**63 - 1])
def test_a_batch_gives_what_one_run_of_aer_gives(
    backend: BasicAerBackend, batch: list[QuantumCircuit], memory: bool, seed: int
) -> None:
    job = backend.run(batch, shots=200, seed_simulator=seed, memory=memory)
    ours = job.result(timeout=PATIENCE_S)
    # One thread, as the job had: sums in another order differ in the last bit.
    aers = AerSimulator().run(batch, shots=200, seed_simulator=seed, memory=memory, max_parallel_threads=1).result()
    assert content(ours) == content(aers)
    assert ours.get_counts(1) == aers.get_counts(1)
    assert ours.get_counts("copy 3") == aers.get_counts("copy 3")
    if memory:
        assert ours.get_memory(1) == aers.get_memory(1)
    assert (ours.success, ours.job_id, ours.backend_name) == (True, job.job_id(), "qasm_simulator")
    assert (job.progress().done, job.progress().total) == (len(batch), len(batch))
    assert job.done()


def test_a_result_is_fetched_once_and_kept(backend: BasicAerBackend, bell: QuantumCircuit) -> None:
    job = backend.run(bell)
    assert job.result(timeout=PATIENCE_S) is job.result()
    assert job.submitted_at is not None
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.submitted_at <= job.started_at <= job.finished_at


def test_another_process_waits_for_the_job_and_reads_the_same(
    working: BasicAerProvider, backend: BasicAerBackend, bell: QuantumCircuit, in_another_process: InAnotherProcess
) -> None:
    job = backend.run(bell, shots=500, seed_simulator=11)
    printed = in_another_process(
        working.client.store.paths.home,
        "from aerjob_cli import BasicAerProvider\n"
        f"job = BasicAerProvider().retrieve_job({job.job_id()!r})\n"
        "job.wait_for_final_state(timeout=60)\n"
        "print(sorted(job.result().get_counts().items()), job.status().name)\n",
    )
    assert printed == f"{sorted(job.result(timeout=PATIENCE_S).get_counts().items())} DONE"


def test_a_job_of_another_process_is_read_here(working: BasicAerProvider, in_another_process: InAnotherProcess) -> None:
    job_id = in_another_process(
        working.client.store.paths.home,
        "from qiskit import QuantumCircuit\n"
        "from aerjob_cli import BasicAerProvider\n"
        "circuit = QuantumCircuit(1, 1)\n"
        "circuit.x(0)\n"
        "circuit.measure(0, 0)\n"
        "print(BasicAerProvider().get_backend().run(circuit, shots=9).job_id())\n",
    )
    job = working.retrieve_job(job_id)
    assert job.result(timeout=PATIENCE_S).get_counts() == {"1": 9}


def test_threads_share_a_job_and_a_backend(backend: BasicAerBackend, bell: QuantumCircuit) -> None:
    shared = backend.run(bell, shots=100, seed_simulator=3)
    counts: dict[int, list[dict[str, int]]] = {}

    def work(index: int) -> None:
        own = backend.run(bell, shots=100, seed_simulator=3)
        counts[index] = [job.result(timeout=PATIENCE_S).get_counts() for job in (own, shared)]

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = shared.result(timeout=PATIENCE_S).get_counts()
    assert counts == {index: [expected, expected] for index in range(4)}


def heavy() -> QuantumCircuit:
    """Minutes of work: 24 qubits, deep, nothing that fusion or sampling shortens."""
    circuit = QuantumCircuit(24)
    for layer in range(200):
        for qubit in range(24):
            circuit.rx(0.1 + layer, qubit)
        for qubit in range(23):
            circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def test_a_running_simulation_is_really_ended(backend: BasicAerBackend) -> None:
    job = backend.run(heavy(), shots=10)
    seen: list[JobStatus] = []

    def cancel_once_it_runs(_job_id: str, status: JobStatus, _job: object) -> None:
        seen.append(status)
        if status is JobStatus.RUNNING:
            assert job.cancel() is True

    job.wait_for_final_state(timeout=PATIENCE_S, wait=0.02, callback=cancel_once_it_runs)
    assert JobStatus.RUNNING in seen
    assert job.cancelled()
    with pytest.raises(JobCancelled):
        job.result()


def test_a_failed_simulation_is_an_error(backend: BasicAerBackend, bell: QuantumCircuit) -> None:
    job = backend.run(heavy(), shots=10, time_limit_s=0.2)
    with pytest.raises(JobError, match="TIMED_OUT"):
        job.result(timeout=PATIENCE_S)
    assert job.status() is JobStatus.ERROR
    assert backend.run(bell).result(timeout=PATIENCE_S).success, "the next job is not harmed"


def test_a_stored_result_that_changed_on_the_disk_is_refused(
    working: BasicAerProvider, backend: BasicAerBackend, bell: QuantumCircuit
) -> None:
    job = backend.run(bell, tags=["damaged"])
    job.wait_for_final_state(timeout=PATIENCE_S)
    store = working.client.store
    with store.writing() as tx:
        trigger = tx.execute(text("SELECT sql FROM sqlite_master WHERE name = 'experiments_stay'")).scalar_one()
        tx.execute(text("DROP TRIGGER experiments_stay"))
        tx.execute(
            text(
                "UPDATE experiments SET data = CAST(replace(data, '0x3', '0x0') AS BLOB) "
                "WHERE job_seq = (SELECT seq FROM jobs WHERE job_id = :job_id)"
            ),
            {"job_id": job.job_id()},
        )
        tx.execute(text(trigger))
    with pytest.raises(StoredBytesDamaged, match="checksum"):
        job.result()
    with pytest.raises(JobError):
        working.retrieve_job(job.job_id()).result()
    assert working.retrieve_job(job.job_id()).done()


def test_the_primitives_of_qiskit_stand_on_it(backend: BasicAerBackend, bell: QuantumCircuit) -> None:
    sampled = BackendSamplerV2(backend=backend).run([bell], shots=100).result()[0].data.meas.get_counts()
    assert set(sampled) <= {"00", "11"}
    state = QuantumCircuit(2)
    state.h(0)
    state.cx(0, 1)
    estimated = BackendEstimatorV2(backend=backend).run([(state, SparsePauliOp(["ZZ", "ZI"], [1.0, 2.0]))]).result()
    assert estimated[0].data.evs == pytest.approx(1.0, abs=0.2)


def test_the_method_that_was_asked_for_decides_what_fits(backend: BasicAerBackend) -> None:
    # A statevector of 50 qubits fits nowhere; as a matrix product state this circuit is tiny.
    wide = QuantumCircuit(50)
    for qubit in range(50):
        wide.rx(0.1, qubit)
    wide.measure_all()
    with pytest.raises(RunRefused, match="statevector"):
        backend.run(wide)
    job = backend.run(wide, method="matrix_product_state", shots=10)
    assert sum(job.result().get_counts().values()) == 10
