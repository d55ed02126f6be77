"""The simulator as a backend: what it can run, what it refuses before anything is stored, what it stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit, generate_preset_pass_manager, transpile
from qiskit.circuit import Parameter
from qiskit.exceptions import QiskitError
from qiskit.providers import JobStatus

from aerjob_cli import BasicAerProvider
from aerjob_cli.api.backend import BasicAerBackend
from aerjob_cli.api.backend_errors import RunRefused
from tests.api.conftest import InAnotherProcess


def ghz(qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    circuit.h(0)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


@pytest.mark.parametrize("level", range(4))
def test_two_hundred_clifford_qubits_transpile(idle_backend: BasicAerBackend, level: int) -> None:
    assert idle_backend.num_qubits is None
    for circuit in (
        transpile(ghz(200), idle_backend, optimization_level=level),
        generate_preset_pass_manager(level, backend=idle_backend).run(ghz(200)),
    ):
        assert circuit.num_qubits == 200
        assert circuit.count_ops()["measure"] == 200


def test_a_job_is_durable_when_run_returns(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit, in_another_process: InAnotherProcess
) -> None:
    job = idle_backend.run([bell, ghz(3)], shots=77, job_name="pair", tags=("b", "a", "b"), metadata={"run": [1, 2.5]})
    printed = in_another_process(
        idle.client.store.paths.home,
        "from aerjob_cli import BasicAerProvider\n"
        f"job = BasicAerProvider().retrieve_job({job.job_id()!r})\n"
        "print(job.status().name, job.backend().name, job.name, job.tags, job.metadata, job.progress().total,\n"
        "      job.queue_position(), [circuit.name for circuit in job.circuits()][0])\n",
    )
    assert printed == "QUEUED qasm_simulator pair ('a', 'b') {'run': [1, 2.5]} 2 1 bell"


def test_the_circuits_come_back_as_they_were(idle_backend: BasicAerBackend, bell: QuantumCircuit) -> None:
    circuits = [bell, *(ghz(2 + index % 3) for index in range(600))]
    returned = idle_backend.run(circuits).circuits()
    assert returned == circuits
    assert [circuit.name for circuit in returned] == [circuit.name for circuit in circuits]
    assert returned[0].metadata == {"pair": [0, 1]}


def test_priority_decides_the_place_in_the_queue(idle_backend: BasicAerBackend, bell: QuantumCircuit) -> None:
    first = idle_backend.run(bell)
    urgent = idle_backend.run(bell, priority=5)
    assert (urgent.queue_position(), first.queue_position()) == (1, 2)


def test_an_idempotency_key_gives_the_first_job_again(idle_backend: BasicAerBackend, bell: QuantumCircuit) -> None:
    first = idle_backend.run(bell, idempotency_key="once")
    assert idle_backend.run(bell, idempotency_key="once").job_id() == first.job_id()
    with pytest.raises(QiskitError, match="once"):
        idle_backend.run(bell, shots=3, idempotency_key="once")


def test_options_are_the_defaults_of_the_jobs_to_come(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit
) -> None:
    assert idle_backend.options.shots == 1024
    idle_backend.set_options(shots=np.int64(10), seed_simulator=4, fusion_enable=False)
    default = idle.client.find(idle_backend.run(bell, seed_simulator=None).job_id())
    assert (default.shots, default.seed, default.options) == (10, 4, {"fusion_enable": False})
    chosen = idle.client.find(idle_backend.run(bell, shots=20, memory=True, fusion_enable=True).job_id())
    assert (chosen.shots, chosen.memory, chosen.options) == (20, True, {"fusion_enable": True})
    assert idle.get_backend().options.shots == 1024, "another backend object has its own options"
    with pytest.raises(AttributeError, match="no_such_option"):
        idle_backend.set_options(no_such_option=1)
    with pytest.raises(RunRefused, match="shots"):
        idle_backend.set_options(shots=0)


def test_a_job_without_a_seed_gets_one(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit
) -> None:
    seeds = {idle.client.find(idle_backend.run(bell).job_id()).seed for _ in range(3)}
    assert len(seeds) == 3


def unbound() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("theta"), 0)
    return circuit


def not_a_number() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.rx(float("nan"), 0)
    return circuit


@pytest.mark.parametrize(
    ("run_input", "arguments", "words"),
    [
        (unbound(), {}, "theta"),
        (not_a_number(), {}, "finite"),
        (QuantumCircuit(0), {}, "no qubits"),
        ([], {}, "no circuits"),
        ("bell.qasm", {}, "str"),
        (5, {}, "int"),
        ([ghz(2), 5], {}, "item 1"),
        (ghz(2), {"shots": 0}, "shots"),
        (ghz(2), {"shots": 2.5}, "shots"),
        (ghz(2), {"seed_simulator": -1}, "seed_simulator"),
        (ghz(2), {"shot": 5}, "'shots'"),
        (ghz(2), {"noise_model": object()}, "noise"),
        (ghz(2), {"tags": "night"}, "tags"),
        (ghz(2), {"tags": [""]}, "tag"),
        (ghz(2), {"group": ""}, "group"),
        (ghz(2), {"job_name": 5}, "name"),
        (ghz(2), {"priority": 1.5}, "priority"),
        (ghz(2), {"time_limit_s": float("nan")}, "time_limit_s"),
        (ghz(2), {"time_limit_s": 0}, "time_limit_s"),
        (ghz(2), {"max_memory_mb": 0}, "max_memory_mb"),
        (ghz(2), {"max_attempts": True}, "max_attempts"),
        (ghz(2), {"metadata": {"a": (1, 2)}}, "tuple"),
        (ghz(2), {"metadata": [1]}, "dictionary"),
        (ghz(2), {"idempotency_key": ""}, "idempotency"),
    ],
)
def test_what_cannot_run_is_refused_with_the_cause_and_nothing_is_stored(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, run_input: Any, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(QiskitError, match=words) as refusal:
        idle_backend.run(run_input, **arguments)
    assert refusal.value.exit_code == 6
    assert idle.jobs() == []


def test_wrong_types_are_type_errors_too(idle_backend: BasicAerBackend) -> None:
    with pytest.raises(TypeError):
        idle_backend.run(["bell"])


def test_numbers_of_numpy_are_taken(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit
) -> None:
    numbers: dict[str, Any] = {
        "shots": np.int32(5),
        "seed_simulator": np.uint8(7),
        "priority": np.int64(2),
        "time_limit_s": np.float64(9),
    }
    record = idle.client.find(idle_backend.run(bell, **numbers).job_id())
    assert (record.shots, record.seed, record.priority, record.time_limit_s) == (5, 7, 2, 9.0)


def test_an_iterator_of_circuits_is_taken(idle_backend: BasicAerBackend) -> None:
    job = idle_backend.run(ghz(width) for width in (2, 3))
    assert (job.progress().done, job.progress().total) == (0, 2)
    assert job.status() is JobStatus.QUEUED


def test_two_homes_are_two_stores(idle: BasicAerProvider, tmp_path: Path) -> None:
    other = BasicAerProvider(str(tmp_path / "other"))
    assert other.jobs() == []
    assert other.client.store.uuid != idle.client.store.uuid
    other.client.close()
