"""Small circuits whose outcomes are counted on a state of Aer's: byte for byte what Aer's run gives, or not at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Gate, Instruction
from qiskit.circuit.library import RXGate, RYGate, get_standard_gate_name_mapping
from qiskit_aer import AerSimulator
from qiskit_aer.backends import controller_wrappers

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.results import encode_experiment
from aerjob_cli.codec.seeds import signed_seed
from aerjob_cli.engines.aer import AerEngine
from aerjob_cli.engines.base import ExperimentRun
from tests.engines.conftest import MakeSpec
from tests.support.programs import program

_GATES: dict[str, Gate] = {
    name: gate
    for name, gate in get_standard_gate_name_mapping().items()
    if isinstance(gate, Gate) and gate.num_qubits <= 3 and name in AerSimulator().target.operation_names
}
_BY_TABLEAU = ("h", "x", "y", "z", "cx", "cy", "cz")
_LEFT_OUT = "cu"
_ANGLES = st.one_of(
    st.floats(-7, 7), st.integers(-8, 8).map(lambda turns: turns * math.pi / 4), st.just(math.pi / 2 + 1e-12)
)

Run = Callable[[QuantumCircuit, JobSpec], ExperimentRun]


def runner(engine: AerEngine) -> Run:
    def run(circuit: QuantumCircuit, spec: JobSpec) -> ExperimentRun:
        ((only,),) = engine.run(program(circuit), spec, [(0, 1)])
        return only

    return run


def by_aer(circuit: QuantumCircuit, spec: JobSpec) -> bytes:
    """Give the bytes of the result that Aer gives for a circuit as it is executed for a job."""
    (executed,) = AerEngine().executed(program(circuit), spec, [0])
    result = AerSimulator(method=spec.method).run(
        executed,
        shots=spec.shots,
        memory=spec.memory,
        seed_simulator=signed_seed(spec.seed),
        max_parallel_threads=1,
        max_memory_mb=spec.max_memory_mb,
        **spec.options,
    )
    return encode_experiment(result.result().results[0]).data


def bytes_of(run: ExperimentRun) -> bytes:
    return encode_experiment(run.result).data


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Give a list that gets an entry for each call of Aer's own run."""
    made: list[Any] = []
    original = AerSimulator.run

    def run(self: AerSimulator, circuits: Any, **options: Any) -> Any:
        made.append(circuits)
        return original(self, circuits, **options)

    monkeypatch.setattr(AerSimulator, "run", run)
    return made


def measured(circuit: QuantumCircuit) -> QuantumCircuit:
    circuit.measure_all()
    return circuit


def turned(angle: float = 0.3) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.rx(angle, 0)
    circuit.cx(0, 1)
    return measured(circuit)


@st.composite
def circuits(draw: st.DrawFn) -> QuantumCircuit:
    """Draw circuits that are nearly, or just, gates and a measurement of each qubit at the end."""
    qubits = draw(st.integers(1, 10))
    left, right = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    circuit = QuantumCircuit(
        QuantumRegister(qubits, "q"), ClassicalRegister(qubits + left, "a"), ClassicalRegister(1 + right, "b")
    )
    circuit.global_phase = draw(st.sampled_from([0.0, 1.5]))
    names = draw(st.sampled_from([sorted(_GATES), _BY_TABLEAU, ["rz", "h", "cx", "s"], ["rx", "cx"]]))
    for name in draw(st.lists(st.sampled_from(names), max_size=8)):
        gate = _GATES[name]
        if gate.num_qubits <= qubits:
            places = draw(st.permutations(range(qubits)))[: gate.num_qubits]
            circuit.append(type(gate)(*(draw(_ANGLES) for _ in gate.params)), places)
    order, bits = draw(st.permutations(range(qubits))), draw(st.permutations(range(circuit.num_clbits)))
    end(circuit, draw(st.sampled_from(_ENDS)), order, bits)
    return circuit


_ENDS = ("plain", "barrier", "reset", "between", "late", "twice", "partly", "same bit")


def end(circuit: QuantumCircuit, kind: str, order: Sequence[int], bits: Sequence[int]) -> None:
    """Measure each qubit, in that order, into these bits; or do nearly that."""
    if kind == "barrier":
        circuit.barrier()
    if kind == "reset":
        circuit.reset(order[0])
    for place, qubit in enumerate(order if kind != "partly" else order[1:]):
        circuit.measure(qubit, bits[0 if kind == "same bit" else place])
        if kind == "between":
            circuit.x(order[-1])
    if kind == "late":
        circuit.x(order[0])
    if kind == "twice":
        circuit.measure(order[0], bits[len(order)])


def shown_all(circuit: QuantumCircuit, spec: JobSpec) -> AerEngine:
    """Give an engine that has seen circuits of all gates in circuits of that size, measured as usual."""
    engine = AerEngine()
    for names in (_BY_TABLEAU, sorted(_GATES.keys() - {_LEFT_OUT})):
        shown = QuantumCircuit(circuit.num_qubits, circuit.num_clbits)
        for name in names:
            gate = _GATES[name]
            if gate.num_qubits <= circuit.num_qubits:
                shown.append(type(gate)(*(0.4 for _ in gate.params)), range(gate.num_qubits))
        shown.measure(range(circuit.num_qubits), range(circuit.num_qubits))
        runner(engine)(shown, replace(spec, shots=10))
    return engine


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    circuit=circuits(),
    method=st.sampled_from(["automatic", "statevector"]),
    shots=st.sampled_from([1, 9, 1000, 20_000]),
    seed=st.one_of(st.integers(0, 2**33), st.integers(0, 2**63 - 1)),
)
def test_all_results_are_those_of_aer_byte_for_byte(
    circuit: QuantumCircuit, method: str, shots: int, seed: int, make_spec: MakeSpec
) -> None:
    note(str(circuit))
    spec = make_spec(method=method, shots=shots, seed=seed)
    run = runner(shown_all(circuit, spec))
    assert bytes_of(run(circuit, spec)) == by_aer(circuit, spec)


@pytest.mark.parametrize("kind", _ENDS)
@pytest.mark.parametrize("gate", ["h", "ry"])
def test_the_end_of_a_circuit_is_as_aer_has_it(kind: str, gate: str, calls: list[Any], make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(3, 5)
    circuit.append(_GATES[gate] if gate == "h" else RYGate(0.8), [1])
    circuit.x(0)
    circuit.cx(1, 2)
    end(circuit, kind, [2, 0, 1], [4, 0, 1, 3])
    run = runner(shown_all(circuit, make_spec()))
    calls.clear()
    given_result = bytes_of(run(circuit, make_spec()))
    assert len(calls) == (0 if kind in ("plain", "barrier") else 1)
    assert given_result == by_aer(circuit, make_spec())


@pytest.mark.parametrize("name", sorted(_GATES))
def test_a_gate_runs_once_and_is_counted_then(name: str, calls: list[Any], make_spec: MakeSpec) -> None:
    """Every gate of Qiskit's that Aer has, by its matrix."""
    gate = _GATES[name]
    circuit = QuantumCircuit(3)
    circuit.ry(0.7, range(3))
    circuit.append(type(gate)(*(0.4 + place for place in range(len(gate.params)))), range(gate.num_qubits))
    circuit.rx(0.4, range(3))
    measured(circuit)
    run = runner(AerEngine())
    first = run(circuit, make_spec(seed=1))
    assert calls
    calls.clear()
    again = run(circuit, make_spec(seed=1))
    other = run(circuit, make_spec(seed=2**63 - 1))
    assert len(calls) == (2 if name == _LEFT_OUT else 0)  # which differs where its angles are large
    assert bytes_of(first) == bytes_of(again) == by_aer(circuit, make_spec(seed=1))
    assert bytes_of(other) == by_aer(circuit, make_spec(seed=2**63 - 1))
    assert (again.method, again.threads, again.name) == ("statevector", 1, circuit.name)
    assert again.time_taken_s is not None
    assert again.time_taken_s > 0


@pytest.mark.parametrize("method", ["automatic", "stabilizer"])
def test_a_tableau_is_counted_as_well(method: str, calls: list[Any], make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(3)
    for name in _BY_TABLEAU:
        circuit.append(_GATES[name], [0, 2][: _GATES[name].num_qubits])
        circuit.h(1)
    measured(circuit)
    run = runner(AerEngine())
    run(circuit, make_spec(method=method, seed=1))
    calls.clear()
    counted = run(circuit, make_spec(method=method, seed=2))
    assert not calls
    assert bytes_of(counted) == by_aer(circuit, make_spec(method=method, seed=2))
    assert counted.method == "stabilizer"


def test_a_gate_that_was_not_seen_yet_is_run_among_those_that_are_counted(
    calls: list[Any], make_spec: MakeSpec
) -> None:
    engine = AerEngine()
    runner(engine)(turned(), make_spec())
    calls.clear()
    new = turned()
    new.ry(0.1, 0)
    new = measured(new.remove_final_measurements(inplace=False))
    chunk = [turned(), turned(1.0), new, turned(2.0), new]
    runs = [run for some in engine.run(program(*chunk), make_spec(), [(0, 5)]) for run in some]
    assert [run.index for run in runs] == [0, 1, 2, 3, 4]
    assert sum(len(made) for made in calls) <= 2 + 1  # and one for the gate itself
    calls.clear()
    whole = AerSimulator().run(chunk, shots=100, seed_simulator=5).result()
    assert [run.result.data.counts for run in runs] == [one.data.counts for one in whole.results]


@pytest.mark.parametrize(
    "changes",
    [{"memory": True}, {"options": {"precision": "single"}}, {"method": "density_matrix"}, {"threads": 2}],
    ids=str,
)
def test_what_is_asked_for_besides_counts_is_left_to_aer(
    changes: dict[str, Any], calls: list[Any], make_spec: MakeSpec
) -> None:
    run = runner(AerEngine())
    run(turned(), make_spec())
    calls.clear()
    run(turned(), make_spec(**changes))
    run(turned(), make_spec(**changes))
    assert len(calls) == 2


def test_a_circuit_of_another_size_is_run_first(calls: list[Any], make_spec: MakeSpec) -> None:
    """What Aer says of a run is not guessed."""
    run = runner(AerEngine())
    run(turned(), make_spec())
    calls.clear()
    wider = QuantumCircuit(3)
    wider.rx(0.3, 0)
    wider.cx(0, 1)
    measured(wider)
    for _ in range(2):
        assert bytes_of(run(wider, make_spec())) == by_aer(wider, make_spec())
    assert len(calls) == 1 + 2  # those of this test are among them


def test_where_aers_ways_differ_its_run_is_what_counts(
    calls: list[Any], make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(controller_wrappers.AerStateWrapper):  # type: ignore[misc]
        def set_seed(self, seed: int) -> None:
            super().set_seed(seed + 1)

    monkeypatch.setattr(controller_wrappers, "AerStateWrapper", Other)
    calls.clear()
    run = runner(AerEngine())
    some = [turned(angle) for angle in (0.3, 0.4, 0.5)]
    results = [bytes_of(run(circuit, make_spec())) for circuit in some]
    assert len(calls) == 3
    assert results == [by_aer(circuit, make_spec()) for circuit in some]


@pytest.mark.parametrize("missing", ["AerStateWrapper", "sample_counts"])
def test_a_version_of_aer_without_it_runs_all(
    missing: str, calls: list[Any], make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing == "AerStateWrapper":
        monkeypatch.delattr(controller_wrappers, missing)
    else:

        class Other(controller_wrappers.AerStateWrapper):  # type: ignore[misc]
            sample_counts = None

        monkeypatch.setattr(controller_wrappers, "AerStateWrapper", Other)
    run = runner(AerEngine())
    circuit = turned()
    assert [bytes_of(run(circuit, make_spec())) for _ in range(2)] == [by_aer(circuit, make_spec())] * 2
    assert len(calls) == 2 + 1  # the last one is this test's own


def test_a_gate_of_the_users_that_has_a_known_name_is_what_its_definition_says(
    calls: list[Any], make_spec: MakeSpec
) -> None:
    run = runner(AerEngine())
    run(turned(), make_spec())
    body = QuantumCircuit(1, name="rx")
    body.x(0)
    own = body.to_instruction()
    assert isinstance(own, Instruction)
    circuit = QuantumCircuit(2)
    circuit.append(own, [0])
    circuit.cx(0, 1)
    measured(circuit)
    for _ in range(3):
        assert run(circuit, make_spec()).result.data.counts == {"0x3": 100}


@pytest.mark.parametrize("method", ["automatic", "statevector", "stabilizer"])
@pytest.mark.parametrize(("qubits", "bits"), [(0, 0), (0, 2), (1, 0), (1, 1), (1, 3)])
def test_a_circuit_of_next_to_nothing_is_as_aer_has_it(
    qubits: int, bits: int, method: str, make_spec: MakeSpec
) -> None:
    circuit = QuantumCircuit(qubits, bits)
    if qubits and bits:
        circuit.measure(0, bits - 1)
    spec = make_spec(method=method, counts_required=False)
    run = runner(AerEngine())
    assert [bytes_of(run(circuit, spec)) for _ in range(3)] == [by_aer(circuit, spec)] * 3


def test_a_gate_is_not_trusted_for_a_circuit_in_which_it_cannot_be_seen(
    make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one shot and a rotation by nothing the counts are equal, whatever a state does with matrices."""

    class Other(controller_wrappers.AerStateWrapper):  # type: ignore[misc]
        def apply_unitary(self, qubits: list[int], matrix: Any) -> None:
            super().apply_unitary(qubits, matrix.T.copy())

    monkeypatch.setattr(controller_wrappers, "AerStateWrapper", Other)
    run = runner(AerEngine())
    run(turned(0.0), make_spec(shots=1))
    for angle in (0.3, 0.4):
        circuit = QuantumCircuit(2)
        circuit.ry(0.7, 0)
        circuit.rx(angle, 0)
        circuit.cx(0, 1)
        measured(circuit)
        assert bytes_of(run(circuit, make_spec())) == by_aer(circuit, make_spec())


def test_a_state_that_fails_later_leaves_the_circuit_to_aer(
    make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(controller_wrappers.AerStateWrapper):  # type: ignore[misc]
        fails = False

        def sample_counts(self, qubits: list[int], shots: int) -> dict[int, int]:
            if Other.fails:
                raise RuntimeError("no more")
            counts: dict[int, int] = super().sample_counts(qubits, shots)
            return counts

    monkeypatch.setattr(controller_wrappers, "AerStateWrapper", Other)
    run = runner(AerEngine())
    circuit = turned()
    first = run(circuit, make_spec())
    Other.fails = True
    assert bytes_of(run(circuit, make_spec())) == bytes_of(run(circuit, make_spec())) == bytes_of(first)


@pytest.mark.parametrize("bits", [63, 64, 65, 70])
@pytest.mark.parametrize("gate", ["h", "rx"])
def test_values_of_many_bits_are_written_as_aer_writes_them(gate: str, bits: int, make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(2, bits)
    circuit.append(_GATES[gate] if gate == "h" else RXGate(0.8), [0])
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, bits - 1])
    run = runner(AerEngine())
    assert [bytes_of(run(circuit, make_spec())) for _ in range(3)] == [by_aer(circuit, make_spec())] * 3


@pytest.mark.parametrize("name", _BY_TABLEAU)
def test_a_gate_that_a_tableau_leaves_out_is_noticed_wherever_it_was_first(
    name: str, make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Hadamard gates and before a measurement nothing is seen of most of them."""
    other = type("Other", (controller_wrappers.AerStateWrapper,), {f"apply_{name}": lambda _self, *_qubits: None})
    monkeypatch.setattr(controller_wrappers, "AerStateWrapper", other)
    run = runner(AerEngine())
    qubits = range(_GATES[name].num_qubits)
    for before in ("h", "x", "none"):
        circuit = QuantumCircuit(2)
        if before != "none":
            circuit.append(_GATES[before], [0])
            circuit.append(_GATES[before], [1])
        circuit.append(_GATES[name], qubits)
        circuit.h(1)
        measured(circuit)
        spec = make_spec(method="stabilizer")
        assert bytes_of(run(circuit, spec)) == bytes_of(run(circuit, spec)) == by_aer(circuit, spec)
