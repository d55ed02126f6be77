"""What fits into memory and what does not, as Aer itself says, and how many threads a job gets."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable

import pytest
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

from aerjob_cli.catalog import SIMULATORS
from aerjob_cli.codec.counts import bit_counts
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.engines.aer import AerEngine
from aerjob_cli.engines.base import Plan
from aerjob_cli.engines.memory import fits, needed_bytes
from aerjob_cli.engines.survey import survey
from aerjob_cli.engines.width import runs_on_stabilizer
from aerjob_cli.errors import CircuitRefused
from aerjob_cli.memory import in_words
from aerjob_cli.settings import usable_cores
from tests.support.programs import program

MakeSpec = Callable[..., JobSpec]


def ghz(qubits: int, *, is_clifford: bool = True) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits, qubits, name="ghz")
    circuit.h(0)
    if not is_clifford:
        circuit.t(0)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(qubits), range(qubits))
    return circuit


def refusal(circuit: QuantumCircuit, spec: JobSpec, *, first: QuantumCircuit | None = None) -> str:
    with pytest.raises(CircuitRefused) as caught:
        AerEngine().check(program(ghz(2) if first is None else first, circuit), spec)
    return caught.value.message


def test_a_wide_clifford_circuit_passes_and_runs(make_spec: MakeSpec) -> None:
    spec = make_spec(max_memory_mb=64)
    assert AerEngine().check(program(ghz(200)), spec) == Plan(1, 1)
    ((run,),) = AerEngine().run(program(ghz(200)), spec, [(0, 1)])
    assert set(bit_counts(run.result.data.counts, run.result.header)) == {"0" * 200, "1" * 200}


def test_a_wide_circuit_that_is_not_clifford_is_refused_with_its_need(make_spec: MakeSpec) -> None:
    message = refusal(ghz(50, is_clifford=False), make_spec(max_memory_mb=100))
    assert message == (
        "circuit 'ghz' needs 16 PiB for a 50-qubit statevector; the job's memory limit is 100 MiB; use fewer qubits, "
        "or take the method 'matrix_product_state' if they are weakly entangled"
    )
    assert "2^204 bytes" in refusal(ghz(200, is_clifford=False), make_spec())


def test_a_method_that_fits_is_named_in_the_place_of_a_density_matrix(make_spec: MakeSpec) -> None:
    message = refusal(ghz(18), make_spec(method="density_matrix", max_memory_mb=2**40))
    assert "needs 1 TiB for a 18-qubit density matrix; this machine has " in message
    assert message.endswith(
        "; use fewer qubits, or take the method 'statevector', which draws the noise anew for each shot"
    )
    saved = refusal(ghz(18), make_spec(method="density_matrix", max_memory_mb=2**40, options={"save_state": True}))
    assert saved.endswith("; use fewer qubits")


def test_a_limit_above_the_machines_memory_gives_no_more_memory(make_spec: MakeSpec) -> None:
    message = refusal(ghz(50, is_clifford=False), make_spec(max_memory_mb=2**40, options={"save_state": True}))
    assert "; this machine has " in message
    assert message.endswith("; use fewer qubits")


def test_raising_the_limit_is_the_advice_where_it_helps(make_spec: MakeSpec) -> None:
    message = refusal(ghz(22, is_clifford=False), make_spec(max_memory_mb=32))
    assert "needs 64 MiB" in message
    assert "; the job's memory limit is 32 MiB; use fewer qubits, " in message
    assert message.endswith(", or raise the limit")


@pytest.mark.parametrize(("qubits", "limit_mb"), [(24, 256), (22, 64), (17, 2)])
def test_the_limit_is_aers_own(make_spec: MakeSpec, qubits: int, limit_mb: int) -> None:
    circuit = ghz(qubits, is_clifford=False)
    AerEngine().check(program(circuit), make_spec(max_memory_mb=limit_mb))
    assert "needs" in refusal(circuit, make_spec(max_memory_mb=limit_mb - 1))
    answer = AerSimulator().run(circuit, shots=1, max_memory_mb=limit_mb - 1).result()
    assert not answer.success


def test_what_aer_leaves_out_does_not_count(make_spec: MakeSpec) -> None:
    unused = QuantumCircuit(100, 2)
    unused.t([3, 70])
    unused.measure([3, 70], [0, 1])
    without_effect = QuantumCircuit(60, 1)
    without_effect.h(range(60))
    without_effect.t(range(60))
    without_effect.measure(0, 0)
    conditioned = QuantumCircuit(60, 60)
    conditioned.h(range(60))
    conditioned.measure(0, 0)
    with conditioned.if_test((0, 1)):
        conditioned.x(1)
    conditioned.measure(range(60), range(60))
    spec = make_spec(max_memory_mb=64, shots=2)
    for circuit in (unused, without_effect, conditioned):
        AerEngine().check(program(circuit), spec)
        ((run,),) = AerEngine().run(program(circuit), spec, [(0, 1)])
        assert run.result.success


def random_circuit(rng: random.Random) -> QuantumCircuit:
    qubits = rng.choice([3, 8, 20, 40, 60])
    circuit = QuantumCircuit(qubits, qubits)
    used = rng.sample(range(qubits), min(qubits, rng.choice([3, 12, qubits])))
    is_clifford = rng.random() < 0.5
    for _ in range(rng.choice([5, 60])):
        qubit, other = rng.sample(used, 2)
        match rng.randrange(6 if is_clifford else 8):
            case 0:
                getattr(circuit, rng.choice(["h", "x", "y", "z", "s", "sdg", "sx", "sxdg", "id"]))(qubit)
            case 1 | 2:
                getattr(circuit, rng.choice(["cx", "cy", "cz", "swap", "ecr"]))(qubit, other)
            case 3:
                circuit.rz(rng.choice([0, 0.5, 1, -3.5, 1000]) * math.pi, qubit)
            case 4:
                circuit.measure(qubit, qubit)
            case 5:
                rng.choice([circuit.reset, circuit.barrier])(qubit)
            case 6:
                circuit.t(qubit)
            case 7:
                circuit.rz(rng.random(), qubit)
    circuit.measure(used, used)
    return circuit


def test_aer_agrees_on_random_circuits(make_spec: MakeSpec) -> None:
    rng = random.Random(5)
    seen = set()
    for _ in range(120):
        circuit = random_circuit(rng)
        spec = make_spec(max_memory_mb=rng.choice([1, 64]))
        try:
            AerEngine().check(program(circuit), spec)
            is_accepted = True
        except CircuitRefused:
            is_accepted = False
        aers = AerSimulator().run(circuit, shots=1, max_memory_mb=spec.max_memory_mb, seed_simulator=1).result()
        method = aers.results[0].metadata["method"]
        assert is_accepted == aers.success
        if runs_on_stabilizer(survey(circuit), spec):
            assert method == "stabilizer"
        seen.add((is_accepted, method))
    assert seen == {(True, "stabilizer"), (True, "statevector"), (False, "statevector")}


@pytest.mark.parametrize(
    ("backend", "method", "qubits", "limit_mb", "state"),
    [
        ("statevector_simulator", "statevector", 21, 32, "64 MiB for a 22-qubit statevector"),
        ("unitary_simulator", "unitary", 11, 64, "256 MiB for a 12-qubit unitary"),
        ("aer_simulator", "unitary", 11, 64, "256 MiB for a 12-qubit unitary"),
        ("aer_simulator", "density_matrix", 11, 64, "256 MiB for a 12-qubit density matrix"),
        ("aer_simulator", "superop", 5, 16, "256 MiB for a 6-qubit superoperator"),
    ],
)
def test_a_state_that_is_saved_must_fit(
    make_spec: MakeSpec, backend: str, method: str, qubits: int, limit_mb: int, state: str
) -> None:
    options = {} if SIMULATORS[backend].gives_state(method) else {"save_state": True}
    spec = make_spec(
        backend=backend, method=method, max_memory_mb=limit_mb, options=options, counts_required=False, shots=1
    )
    unused = QuantumCircuit(qubits)
    unused.h(0)
    AerEngine().check(program(unused), spec)
    wider = QuantumCircuit(qubits + 1)
    wider.t(0)
    # What nothing is done to is part of the state all the same.
    assert re.search(state, refusal(wider, spec, first=unused))


def test_no_superoperator_of_15_qubits_comes_to_aer_which_it_would_end(make_spec: MakeSpec) -> None:
    spec = make_spec(backend="aer_simulator", method="superop", max_memory_mb=2**40, counts_required=False)
    for qubits in (15, 16, 30):
        assert f"for a {qubits}-qubit superoperator" in refusal(QuantumCircuit(qubits), spec, first=QuantumCircuit(1))


def test_a_state_of_single_precision_comes_as_a_copy_of_double(make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(20)
    circuit.t(0)
    fields = {"backend": "statevector_simulator", "method": "statevector", "options": {"precision": "single"}}
    AerEngine().check(program(circuit), make_spec(**fields, max_memory_mb=24))
    assert "needs 24 MiB" in refusal(circuit, make_spec(**fields, max_memory_mb=23), first=QuantumCircuit(1))


def test_a_big_job_gets_all_cores(make_spec: MakeSpec) -> None:
    spec = make_spec(max_memory_mb=1024)
    assert AerEngine().check(program(ghz(2), ghz(18, is_clifford=False)), spec) == Plan(2, usable_cores())
    assert AerEngine().check(program(ghz(17, is_clifford=False)), spec) == Plan(1, 1)
    assert AerEngine().check(program(ghz(100)), spec) == Plan(1, 1)


def test_sizes_by_method_and_in_words() -> None:
    assert needed_bytes("statevector", 50) == 16 * 2**50
    assert needed_bytes("statevector", 50, "single") == 8 * 2**50
    assert needed_bytes("density_matrix", 10) == 16 * 4**10
    assert needed_bytes("stabilizer", 10_000) == 3_200_000_000
    assert needed_bytes("matrix_product_state", 10) is None
    assert in_words(16 * 2**50) == "16 PiB"
    assert in_words(3 * 2**29) == "1.5 GiB"
    assert in_words(512) == "512 bytes"
    assert in_words(16 * 2**200) == "2^204 bytes"
    assert fits(2**20, 1)
    assert not fits(2**21, 1)
