"""The primitives: durable before run() returns, retrieved anywhere, resumed PUB by PUB, equal to Aer's."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.exceptions import QiskitError
from qiskit.primitives import BaseEstimatorV2, BasePrimitiveJob, BaseSamplerV2, PrimitiveResult, PubResult
from qiskit.providers import JobStatus
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.noise import NoiseModel, depolarizing_error
from qiskit_aer.primitives import EstimatorV2, SamplerV2

from aerjob_cli import BasicAerProvider, DurableEstimator, DurableSampler, PrimitiveAerJob
from aerjob_cli.api.backend_errors import BackendNotFound, RunRefused
from aerjob_cli.api.job_errors import JobCancelled, JobFailed
from aerjob_cli.states import Reason
from aerjob_cli.store import jobs, workers
from tests.api.conftest import InAnotherProcess, end_worker, home_of
from tests.support.running import gone, until
from tests.support.values import same

PATIENCE_S = 60.0
HAMILTONIAN = SparsePauliOp(["ZZ", "XX"], [1.0, 0.5])
VALUES = np.random.default_rng(1).uniform(0, 3, (4, 2))


def ansatz(qubits: int = 2, layers: int = 1) -> QuantumCircuit:
    first, last = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(qubits, name="ansatz", metadata={"layers": layers})
    for layer in range(layers):
        for qubit in range(qubits):
            circuit.ry(first + layer, qubit)
        for qubit in range(qubits - 1):
            circuit.cx(qubit, qubit + 1)
        circuit.rx(last, 0)
    return circuit


def registers() -> QuantumCircuit:
    circuit = QuantumCircuit(
        QuantumRegister(3), ClassicalRegister(1, "early"), ClassicalRegister(2, "late"), name="two registers"
    )
    circuit.ry(Parameter("a"), range(3))
    circuit.measure(range(3), range(3))
    return circuit


def fields(result: PrimitiveResult[PubResult]) -> list[dict[str, Any]]:
    return [dict(pub_result.data.items()) for pub_result in result]


def test_a_sampler_gives_what_aers_gives(working: BasicAerProvider, in_another_process: InAnotherProcess) -> None:
    # The last one has more samples than fit into the database.
    pubs = [(registers(), VALUES.reshape(4, 2, 1)), (registers(), [0.3]), (registers(), 0.2, 300_000)]
    job = DurableSampler(working, seed=7).run(pubs[:2], shots=50)
    expected = SamplerV2(seed=7).run(pubs[:2], shots=50).result()
    assert same(fields(job.result(timeout=PATIENCE_S)), fields(expected))
    large = DurableSampler(working, seed=7).run(pubs[2:])
    assert same(fields(large.result(timeout=PATIENCE_S)), fields(SamplerV2(seed=7).run(pubs[2:]).result()))
    printed = in_another_process(
        home_of(working),
        "from aerjob_cli import BasicAerProvider\n"
        f"job = BasicAerProvider().retrieve_job({job.job_id()!r})\n"
        "result = job.result()\n"
        "print(type(job).__name__, type(result).__name__, [type(pub).__name__ for pub in result], result.metadata)\n"
        "print(result[0].data.late.array.tolist(), result[1].data.early.get_counts(), [*result[0].data])\n",
    )
    late, early = expected[0].data.late.array.tolist(), expected[1].data.early.get_counts()
    assert printed.splitlines() == [
        "PrimitiveAerJob PrimitiveResult ['SamplerPubResult', 'SamplerPubResult'] {'version': 2}",
        f"{late} {early} ['early', 'late']",
    ]


def test_an_estimator_gives_what_aers_gives(working: BasicAerProvider) -> None:
    pub = (ansatz(), [["ZZ"], [HAMILTONIAN], [{"XI": -2.0}]], VALUES)
    noisy = DurableEstimator(working, seed=3).run([pub], precision=0.1).result(timeout=PATIENCE_S)
    (aers,) = EstimatorV2(options={"run_options": {"seed_simulator": 3}}).run([pub], precision=0.1).result()
    assert noisy[0].data.evs.shape == (3, 4)
    assert same(fields(noisy), [dict(aers.data.items())])
    assert noisy[0].metadata["circuit_metadata"] == {"layers": 1}
    exact = DurableEstimator(working).run([pub, (*pub, 0.1)]).result(timeout=PATIENCE_S)
    assert same(dict(exact[0].data.items()), dict(EstimatorV2().run([pub]).result()[0].data.items()))
    assert (exact[1].data.stds == 0.1).all()
    assert np.abs(exact[1].data.evs - exact[0].data.evs).max() < 1


def test_a_job_is_durable_when_run_returns(idle: BasicAerProvider, in_another_process: InAnotherProcess) -> None:
    estimator = DurableEstimator(idle, seed=5, options={"backend_options": {"method": "statevector"}})
    job = estimator.run(
        [(ansatz(), "ZZ", VALUES), (ansatz(), "XX", VALUES)], job_name="pair", tags=("vqe",), metadata={"run": 1}
    )
    assert isinstance(job, BasePrimitiveJob)
    assert isinstance(estimator, BaseEstimatorV2)
    assert isinstance(DurableSampler(idle), BaseSamplerV2)
    assert not any((job.done(), job.running(), job.cancelled(), job.in_final_state()))
    printed = in_another_process(
        home_of(idle),
        "from aerjob_cli import BasicAerProvider\n"
        f"job = BasicAerProvider().retrieve_job({job.job_id()!r})\n"
        "print(job.status().name, job.name, job.tags, job.metadata, job.progress().total, job.queue_position())\n"
        "print([(circuit.name, circuit.num_parameters) for circuit in job.circuits()])\n"
        "print([job.name for job in BasicAerProvider().jobs(backend='estimator')])\n",
    )
    assert printed.splitlines() == [
        "QUEUED pair ('vqe',) {'run': 1} 2 1",
        "[('ansatz', 2), ('ansatz', 2)]",
        "['pair']",
    ]
    record = idle.client.find(job.job_id())
    assert (record.backend, record.method, record.seed, record.experiments_total) == ("estimator", "statevector", 5, 2)
    assert job.cancel() is True
    assert (job.status(), job.cancelled()) == (JobStatus.CANCELLED, True)
    with pytest.raises(JobCancelled):
        job.result()


def test_a_job_of_many_pubs_survives_the_kill_of_its_worker(home: Path) -> None:
    provider = BasicAerProvider(home)
    circuit = ansatz(12, 30)
    pubs = [(circuit, ["Z" * 12, "X" * 12], values, 0.1) for values in np.random.default_rng(2).random((40, 2))]
    job = DurableEstimator(provider, seed=9).run(pubs)
    store = provider.client.store

    def some_done() -> bool | None:
        with store.reading() as tx:
            record = jobs.find(tx, job.job_id())
        assert not record.status.is_final, "the job ended before it could be disturbed"
        return True if record.experiments_done >= 3 else None

    until(some_done)
    with store.reading() as tx:
        worker = workers.alive(tx)[0]
    os.kill(worker.pid, signal.SIGKILL)
    until(lambda: gone(worker) or None)
    record = provider.client.find(job.job_id())
    before = [(item.position, item.attempt, item.data) for item in provider.client.results(record)]
    assert 3 <= len(before) < len(pubs)
    result = provider.retrieve_job(job.job_id()).result(timeout=PATIENCE_S)
    after = [(item.position, item.attempt, item.data) for item in provider.client.results(record)]
    # What had ended is what it was, of the first attempt; only the others are of the second.
    assert after[: len(before)] == before
    assert [attempt for _, attempt, _ in after] == [1] * len(before) + [2] * (len(pubs) - len(before))
    for index in (0, len(before), len(pubs) - 1):
        options = {"run_options": {"seed_simulator": 9 + 2113 * index, "max_parallel_threads": 1}}
        (wanted,) = EstimatorV2(options=options).run([pubs[index]]).result()
        assert same(dict(result[index].data.items()), dict(wanted.data.items()))
    end_worker(provider)
    provider.client.close()


def test_a_job_without_a_seed_draws_one(idle: BasicAerProvider) -> None:
    sampler = DurableSampler(idle)
    seeds = {idle.client.find(sampler.run([(registers(), [0.1])]).job_id()).seed for _ in range(3)}
    assert len(seeds) == 3


def test_a_repeated_key_gives_the_first_job_in_any_process(
    idle: BasicAerProvider, in_another_process: InAnotherProcess
) -> None:
    # Parameters are made anew there, and in expressions they may be in any order.
    code = """
import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from aerjob_cli import DurableEstimator
from qiskit.exceptions import QiskitError
v = ParameterVector("v", 12)
circuit = QuantumCircuit(1, name="ansatz")
for one, other in zip(v, v[1:]):
    circuit.ry(one * other + one / 3 - other, 0)
for offset in (0.0, 0.5):
    try:
        job = DurableEstimator(seed=1).run([(circuit, "Z", np.arange(12) + offset)], idempotency_key="step 1")
        print(job.job_id())
    except QiskitError as error:
        print(str(error).partition("; ")[2])
"""
    first, second = (in_another_process(home_of(idle), code).splitlines() for _ in range(2))
    assert first == second == [first[0], "choose another key"]


def test_a_failed_simulation_has_its_reason(working: BasicAerProvider) -> None:
    sampler = DurableSampler(working, options={"method": "stabilizer"})
    circuit = QuantumCircuit(1)
    circuit.rz(Parameter("a"), 0)
    circuit.measure_all()
    # Only the first values are looked at before the job is taken in.
    job = sampler.run([(circuit, [[0.0], [0.1]])])
    with pytest.raises(JobFailed, match="stabilizer") as failure:
        job.result(timeout=PATIENCE_S)
    assert failure.value.reason is Reason.SIMULATION_FAILED


def test_the_arguments_of_aers_primitives_are_taken(idle: BasicAerProvider) -> None:
    options = {"backend_options": {"method": "matrix_product_state"}, "run_options": {"seed_simulator": 4, "shots": 9}}
    estimator = DurableEstimator(idle, options={**options, "default_precision": 0.2})
    assert (estimator.seed, estimator.default_precision) == (4, 0.2)
    record = idle.client.find(estimator.run([(ansatz(), "ZZ", [0, 0])]).job_id())
    assert (record.seed, record.shots, record.method) == (4, 9, "matrix_product_state")
    sampler = DurableSampler(idle, default_shots=12, seed=3, options={"fusion_enable": False})
    assert (sampler.default_shots, sampler.seed, sampler.options) == (12, 3, {"fusion_enable": False})
    backend = idle.get_backend("aer_simulator")
    backend.set_options(method="statevector", seed_simulator=8)
    on_a_backend = DurableSampler(backend)
    assert (on_a_backend.seed, on_a_backend.options) == (8, {"method": "statevector"})
    assert DurableSampler(idle.get_backend("statevector_simulator")).options == {"method": "statevector"}


def test_noise_is_stored_with_the_job(working: BasicAerProvider) -> None:
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.2, 2), ["cx"])
    pub = (ansatz(), "ZZ", [0.0, 0.0])
    options = {"backend_options": {"noise_model": model}, "run_options": {"seed_simulator": 3}}
    (expected,) = EstimatorV2(options=options).run([pub]).result()
    backend = working.get_backend("aer_simulator")
    backend.set_options(noise_model=model)
    for estimator in (
        DurableEstimator(working, seed=3, noise_model=model),
        DurableEstimator(working, options=options),
        DurableEstimator(backend, seed=3),
    ):
        (found,) = estimator.run([pub]).result(timeout=PATIENCE_S)
        assert same(dict(found.data.items()), dict(expected.data.items()))
    assert float(expected.data.evs) == pytest.approx(0.8)
    with pytest.raises(RunRefused, match="NoiseModel"):
        DurableSampler(working, noise_model={})


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        ({"options": {"colour": "red"}}, "colour"),
        ({"options": {"run_options": {"fusion_enable": 3}}}, "fusion_enable"),
        ({"seed": -1}, "seed_simulator"),
        ({"options": {"method": "unitary"}}, "method"),
        ({"backend": "aer_simulator"}, "type str"),
    ],
)
def test_arguments_that_cannot_be_are_refused(idle: BasicAerProvider, arguments: dict[str, Any], fact: str) -> None:
    with pytest.raises(RunRefused, match=fact):
        DurableSampler(**{"backend": idle, **arguments})


def test_a_simulator_that_is_not_aers_is_refused(idle: BasicAerProvider) -> None:
    for name in ("basic_simulator", "unitary_simulator"):
        with pytest.raises(RunRefused, match=name):
            DurableEstimator(idle.get_backend(name))


@pytest.mark.parametrize(
    ("pubs", "kind"),
    [
        ([], RunRefused),
        (3, TypeError),
        (["x"], ValueError),
        ((ansatz(), "ZZ", [0, 0]), ValueError),
        ([(ansatz(), "ZZZ", [0, 0])], ValueError),
        ([(ansatz(), "ZQ", [0, 0])], QiskitError),
        ([(ansatz(), "ZZ")], ValueError),
        ([(ansatz(), "ZZ", [[[0, 0]] * 3], -1)], ValueError),
        ([(ansatz(), ["ZZ"] * 2, [[0, 0]] * 3)], ValueError),
        ([(ansatz(), {"ZZ": 1j}, [0, 0])], ValueError),
        ([(ansatz(), "ZZ", [float("inf"), 0])], RunRefused),
    ],
)
def test_pubs_that_cannot_run_are_refused(idle: BasicAerProvider, pubs: Any, kind: type[Exception]) -> None:
    with pytest.raises(RunRefused) as refusal:
        DurableEstimator(idle).run(pubs)
    assert isinstance(refusal.value, kind)
    assert "\n" not in str(refusal.value)
    assert idle.jobs() == []


def test_a_circuit_without_registers_is_warned_of(working: BasicAerProvider) -> None:
    with pytest.warns(UserWarning, match="no classical register"):
        job = DurableSampler(working).run([QuantumCircuit(1)])
    assert fields(job.result(timeout=PATIENCE_S)) == [{}]


def test_primitives_are_no_backends(idle: BasicAerProvider) -> None:
    assert {backend.name for backend in idle.backends()}.isdisjoint({"sampler", "estimator"})
    with pytest.raises(BackendNotFound, match="'sampler'"):
        idle.get_backend("sampler")
    job = DurableSampler(idle).run([(registers(), [0.1])])
    assert isinstance(idle.retrieve_job(job.job_id()), PrimitiveAerJob)
    assert job.backend().name == "aer_simulator"
