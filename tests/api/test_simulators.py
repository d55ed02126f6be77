"""Every simulator of the catalog against the library behind it: the same data, to the bit, from text and Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm2, transpile
from qiskit.circuit.library import quantum_volume
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.result import Result
from qiskit_aer import AerSimulator, StatevectorSimulator, UnitarySimulator

from aerjob_cli import BasicAerProvider
from aerjob_cli.api.array_like import make_array_like
from aerjob_cli.api.backend_errors import RunRefused
from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.catalog import SIMULATORS
from aerjob_cli.codec.envelope import EXPERIMENT_RESULT, MARKED_EXPERIMENT_RESULT, NPY, OPENQASM2, OPENQASM3
from aerjob_cli.states import Status
from tests.support.values import same

# Aer's own classes for this are to be deprecated one day; until then they say what is right.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")

PATIENCE_S = 60.0
SEED = 2**63 - 7


def rotated(qubits: int = 3) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits, name="rotated", global_phase=0.125)
    for qubit in range(qubits):
        circuit.rx(0.1 + qubit, qubit)
        circuit.t(qubit)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    return circuit


def translated() -> QuantumCircuit:
    """Gates that Aer lacks, one of them the user's own."""
    inner = QuantumCircuit(2, name="entangler")
    inner.ch(0, 1)
    inner.rz(0.3, 1)
    circuit = rotated(3)
    circuit.append(inner.to_gate(), [2, 0])
    circuit.iswap(0, 1)
    return circuit


def measured() -> QuantumCircuit:
    circuit = rotated(3)
    circuit.measure_all()
    return circuit


def conditioned() -> QuantumCircuit:
    """Measured in the middle, with control flow after it."""
    circuit = QuantumCircuit(2, 2, name="conditioned")
    circuit.ry(1.0, 0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.h(1)
    circuit.reset(0)
    circuit.rx(0.2, 0)
    return circuit


def idle() -> QuantumCircuit:
    return QuantumCircuit(3, name="idle")


STATES = [rotated(), translated(), measured(), conditioned(), idle(), rotated(1), rotated(9)]
UNITARIES = [rotated(), translated(), idle(), rotated(1), rotated(6)]


def assert_same_data(ours: Result, theirs: Result) -> None:
    for one, other in zip(ours.results, theirs.results, strict=True):
        data = other.data.to_dict()
        if other.header["memory_slots"] == 0:
            # Aer counts nothing when another circuit of the call has bits; alone the circuit has no counts.
            data.pop("counts", None)
        assert same(one.data.to_dict(), data), one.header["name"]
        assert (one.shots, one.seed_simulator, one.status) == (other.shots, other.seed_simulator, other.status)
        assert same(one.header, other.header)
        assert type(one.meas_level) is type(other.meas_level)


@pytest.mark.parametrize("shots", [None, 20])
def test_the_statevector_simulator_gives_what_aers_gives(working: BasicAerProvider, shots: int | None) -> None:
    backend = working.get_backend("statevector_simulator")
    assert backend.options.shots == StatevectorSimulator().options.shots == 1
    ours = backend.run(STATES, shots=shots, seed_simulator=SEED).result(timeout=PATIENCE_S)
    native = transpile(STATES, target=backend.target, optimization_level=0)
    theirs = StatevectorSimulator().run(native, shots=shots or 1, seed_simulator=SEED, max_parallel_threads=1).result()
    make_array_like(theirs)
    assert_same_data(ours, theirs)
    assert same(ours.get_statevector(1), theirs.get_statevector(1))
    assert ours.get_counts(2) == theirs.get_counts(2)


def test_the_unitary_simulator_gives_what_aers_gives(working: BasicAerProvider) -> None:
    backend = working.get_backend("unitary_simulator")
    ours = backend.run(UNITARIES, seed_simulator=SEED).result(timeout=PATIENCE_S)
    native = transpile(UNITARIES, target=backend.target, optimization_level=0)
    theirs = UnitarySimulator().run(native, shots=1, seed_simulator=SEED, max_parallel_threads=1).result()
    make_array_like(theirs)
    assert_same_data(ours, theirs)
    assert same(ours.get_unitary(0), theirs.get_unitary(0))


@pytest.mark.parametrize("name", ["statevector_simulator", "unitary_simulator"])
def test_texts_give_the_same_as_circuits(working: BasicAerProvider, name: str) -> None:
    circuit = rotated(4)
    circuit.global_phase = 0
    request = Request(circuits=(CircuitBytes("rotated.qasm", OPENQASM2, qasm2.dumps(circuit).encode()),), backend=name)
    (record,) = working.client.submit([request])
    text = working.retrieve_job(record.job_id).result(timeout=PATIENCE_S)
    python = working.get_backend(name).run(circuit, seed_simulator=record.seed).result(timeout=PATIENCE_S)
    assert same(text.data(0), python.data(0))
    assert record.shots == SIMULATORS[name].default_shots == 1


@pytest.mark.parametrize("method", SIMULATORS["aer_simulator"].methods)
def test_each_method_gives_its_state_to_the_bit(working: BasicAerProvider, method: str) -> None:
    if method == "extended_stabilizer":
        pytest.skip("Aer keeps no state of this method in a form of its own")
    circuit = QuantumCircuit(4, 2, name="clifford")
    circuit.h(range(3))
    circuit.cx(0, 3)
    circuit.s(3)
    if method not in ("unitary", "superop"):
        circuit.measure([0, 1], [0, 1])
    saving = circuit.copy()
    saving.save_state()
    options: dict[str, Any] = {} if method in ("unitary", "superop") else {"save_state": True}
    job = working.get_backend("aer_simulator").run(circuit, method=method, shots=30, seed_simulator=5, **options)
    theirs = AerSimulator(method=method).run(saving, shots=30, seed_simulator=5, max_parallel_threads=1).result()
    ours = job.result(timeout=PATIENCE_S)
    assert_same_data(ours, theirs)
    key = "stabilizer" if method == "automatic" else method
    assert key in ours.data(0)
    metadata = {"result_types", "result_subtypes", "method"}
    for name in metadata:
        assert ours.results[0].metadata[name] == theirs.results[0].metadata[name]


def test_the_basic_simulator_gives_what_qiskits_gives(working: BasicAerProvider) -> None:
    mid = QuantumCircuit(2, 2, name="mid")
    mid.h(0)
    mid.measure(0, 0)
    mid.h(0)
    mid.measure([0, 1], [0, 1])
    circuits = [measured(), mid, translated(), measured()]
    circuits[2].measure_all()
    ours = (
        working.get_backend("basic_simulator")
        .run(circuits, shots=50, seed_simulator=SEED, memory=True)
        .result(timeout=PATIENCE_S)
    )
    simulator = BasicSimulator()
    for index, circuit in enumerate(transpile(circuits, simulator, optimization_level=0)):
        seed = (SEED + 2113 * index) % 2**64
        theirs = simulator.run(circuit, shots=50, seed_simulator=seed, memory=True).result()
        one, other = ours.results[index], theirs.results[0]
        assert same(one.data.to_dict(), other.data.to_dict())
        assert same(one.header, other.header)
        assert one.to_dict().keys() - {"time_taken"} == other.to_dict().keys() - {"time_taken"}
    assert ours.results[0].data.counts != ours.results[3].data.counts, "each has its own seed"
    assert ours.backend_version.startswith("qiskit ")


def test_the_same_circuit_gives_the_same_counts_in_every_format(working: BasicAerProvider) -> None:
    head = 'include "{}";\n'
    gates = "h q[0];\ncx q[0], q[1];\nrx(0.5) q[1];\n"
    texts = {
        OPENQASM2: f"OPENQASM 2.0;\n{head.format('qelib1.inc')}qreg q[2];\ncreg c[2];\n{gates}measure q -> c;\n",
        OPENQASM3: f"OPENQASM 3.0;\n{head.format('stdgates.inc')}qubit[2] q;\nbit[2] c;\n{gates}c = measure q;\n",
    }
    requests = [
        Request(circuits=(CircuitBytes("c.qasm", format, text.encode()),), backend="qasm_simulator", shots=500, seed=3)
        for format, text in texts.items()
    ]
    records = working.client.submit(requests)
    circuit = qasm2.loads(texts[OPENQASM2])
    python = working.get_backend("qasm_simulator").run(circuit, shots=500, seed_simulator=3)
    counts = [working.retrieve_job(record.job_id).result(timeout=PATIENCE_S).get_counts() for record in records]
    assert counts[0] == counts[1] == python.result(timeout=PATIENCE_S).get_counts()
    assert len(counts[0]) == 4


def test_a_large_state_is_a_file_and_comes_back_to_the_bit(working: BasicAerProvider) -> None:
    circuit = quantum_volume(19, 2, seed=1).decompose()
    job = working.get_backend("statevector_simulator").run([rotated(2), circuit], seed_simulator=1)
    result = job.result(timeout=PATIENCE_S)
    record = working.client.find(job.job_id())
    saving = circuit.copy()
    saving.save_statevector()
    theirs = AerSimulator(method="statevector").run(
        saving, shots=1, seed_simulator=1 + 2113, max_parallel_threads=record.threads
    )
    make_array_like(theirs.result())
    assert same(result.get_statevector(1), theirs.result().get_statevector(0))
    small, large = working.client.results(record)
    (inline,), (array,) = small.arrays, large.arrays
    assert (array.name, inline.name) == ("statevector", "statevector")
    assert array.size_bytes == 128 + 16 * 2**19
    place = working.client.store.paths.objects / array.sha256[:2] / array.sha256[2:]
    assert place.stat().st_size == array.size_bytes
    assert array.load() == place.read_bytes()
    assert large.format == MARKED_EXPERIMENT_RESULT
    np.testing.assert_array_equal(np.load(place, allow_pickle=False), result.get_statevector(1).data)


def test_one_result_can_be_read_without_the_others(working: BasicAerProvider) -> None:
    backend = working.get_backend("statevector_simulator")
    job = backend.run([rotated(2), rotated(3), measured()], seed_simulator=1)
    job.wait_for_final_state(timeout=PATIENCE_S)
    record = working.client.find(job.job_id())
    assert [item.position for item in working.client.results(record, positions=[2, 0, 2, 17])] == [0, 2]
    assert list(working.client.results(record, positions=[])) == []
    assert [len(item.arrays) for item in working.client.results(record)] == [1, 1, 1]


def test_many_states_of_a_job_are_each_one_s_own(working: BasicAerProvider) -> None:
    circuits = []
    for index in range(300):
        circuit = QuantumCircuit(11, name=f"c{index}")
        circuit.rx(index / 100, index % 11)
        circuits.append(circuit)
    job = working.get_backend("statevector_simulator").run(circuits, seed_simulator=1)
    result = job.result(timeout=PATIENCE_S)
    theirs = StatevectorSimulator().run(circuits, seed_simulator=1, max_parallel_threads=1).result()
    make_array_like(theirs)
    assert_same_data(result, theirs)


def test_counts_alone_stay_plain(working: BasicAerProvider) -> None:
    job = working.get_backend("qasm_simulator").run(measured(), shots=5)
    job.wait_for_final_state(timeout=PATIENCE_S)
    (item,) = working.client.results(working.client.find(job.job_id()))
    assert (item.format, item.arrays) == (EXPERIMENT_RESULT, ())


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("unitary_simulator", {}, "contains 'measure', which the method 'unitary' cannot run"),
        ("aer_simulator", {"method": "stabilizer"}, "contains '.+', which the method 'stabilizer' cannot run"),
        ("statevector_simulator", {"method": "unitary"}, "'method' is 'unitary'; it must be statevector"),
        ("statevector_simulator", {"save_state": True}, "no option 'save_state'; it is an option of qasm_simulator"),
        ("basic_simulator", {"fusion_enable": True}, "basic_simulator has no option 'fusion_enable'"),
        ("qasm_simulator", {"transpile": False, "optimization_level": 7}, "'optimization_level' is 7"),
        ("qasm_simulator", {"method": "extended_stabilizer", "save_state": True}, "has no final state"),
    ],
)
def test_what_a_simulator_cannot_do_is_refused_before_anything_is_stored(
    working: BasicAerProvider, name: str, options: dict[str, Any], words: str
) -> None:
    before = len(working.jobs(limit=None))
    with pytest.raises(RunRefused, match=words):
        working.get_backend(name).run(measured(), **options)
    assert len(working.jobs(limit=None)) == before


def test_measurements_that_are_asked_for_are_checked_with_the_circuit(idle: BasicAerProvider) -> None:
    with pytest.raises(RunRefused, match="measure"):
        idle.get_backend("aer_simulator").run(rotated(2), method="unitary", measure_all=True)
    assert idle.jobs() == []
    idle.get_backend("aer_simulator").run(rotated(2), measure_all=True)


def test_a_state_needs_no_measurement_and_counts_do(working: BasicAerProvider) -> None:
    text = CircuitBytes("t.qasm", OPENQASM2, b'OPENQASM 2.0;include "qelib1.inc";qreg q[1];h q[0];')
    asked: list[tuple[str, dict[str, Any], Status]] = [
        ("qasm_simulator", {}, Status.ERROR),
        ("qasm_simulator", {"save_state": True}, Status.DONE),
        ("qasm_simulator", {"measure_all": True}, Status.DONE),
        ("aer_simulator", {"method": "superop"}, Status.DONE),
        ("statevector_simulator", {}, Status.DONE),
        ("unitary_simulator", {}, Status.DONE),
        ("basic_simulator", {}, Status.ERROR),
    ]
    requests = [Request(circuits=(text,), backend=name, options=options) for name, options, _ in asked]
    records = working.client.submit(requests)
    ended = {record.seq: record.status for record in working.client.wait(records, timeout_s=PATIENCE_S)}
    assert [ended[record.seq] for record in records] == [status for *_, status in asked]


def test_the_arrays_of_a_deleted_job_are_gone_with_it(working: BasicAerProvider) -> None:
    from aerjob_cli.errors import JobNotFound

    job = working.get_backend("statevector_simulator").run(rotated(2))
    job.wait_for_final_state(timeout=PATIENCE_S)
    (item,) = working.client.results(working.client.find(job.job_id()))
    working.delete_job(job.job_id())
    with pytest.raises(JobNotFound):
        item.arrays[0].load()


def test_the_envelope_says_what_an_array_is(working: BasicAerProvider) -> None:
    from aerjob_cli.store import experiments

    job = working.get_backend("unitary_simulator").run(rotated(2))
    job.wait_for_final_state(timeout=PATIENCE_S)
    record = working.client.find(job.job_id())
    with working.client.store.reading() as tx:
        (stored,) = experiments.results_of(tx, record.seq)
    assert [(array.name, array.format) for array in stored.arrays] == [("unitary", NPY)]
