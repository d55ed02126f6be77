"""MQT DDSIM as an engine: what Qiskit says it must give, the same for each seed, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm2
from qiskit.circuit import CircuitInstruction, Clbit, Parameter, Qubit
from qiskit.circuit.classical import expr
from qiskit.circuit.library import MCPhaseGate, MCXGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Statevector
from qiskit.transpiler.preset_passmanagers import generate_preset_pass_manager
from qiskit_aer.noise import NoiseModel

pytest.importorskip("mqt.ddsim", reason="the extra ddsim is not installed")

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.noise_models import Surroundings
from aerjob_cli.codec.program import Program
from aerjob_cli.codec.sweeps import Sweep, Table
from aerjob_cli.engines.base import Plan
from aerjob_cli.engines.ddsim import DdsimEngine
from aerjob_cli.errors import CircuitRefused
from tests.support.circuits import layers
from tests.support.programs import program

MakeSpec = Callable[..., JobSpec]

ENGINE = DdsimEngine()
QUBITS = 4
GATES = get_standard_gate_name_mapping() | {"mcx": MCXGate(3), "mcphase": MCPhaseGate(0.3, 3)}
NAMES = sorted(ENGINE.gates("decision_diagram").names - {"measure", "barrier", "reset", "if_else"})


@pytest.fixture
def spec(make_spec: MakeSpec) -> MakeSpec:
    return lambda **changes: make_spec(**{"backend": "ddsim_simulator", "method": "decision_diagram"} | changes)


def data_of(circuit: QuantumCircuit, spec: JobSpec) -> dict[str, Any]:
    ENGINE.check(program(circuit), spec)
    ((run,),) = ENGINE.run(program(circuit), spec, [(0, 1)])
    return dict(run.result.data.to_dict())


def refusal(circuit: QuantumCircuit, spec: JobSpec) -> str:
    with pytest.raises(CircuitRefused) as caught:
        ENGINE.check(program(circuit), spec)
    return caught.value.message


def add(circuit: QuantumCircuit, name: str, qubits: list[int], angles: list[float]) -> None:
    """Append the gate of that name to the first of the qubits, with as many angles as it takes."""
    gate = GATES[name].to_mutable()
    gate.params = angles[: len(gate.params)]
    circuit.append(gate, qubits[: gate.num_qubits])


ANGLES = st.lists(st.floats(-7, 7, allow_nan=False), min_size=4, max_size=4)
STEPS = st.lists(st.tuples(st.sampled_from(NAMES), st.permutations(range(QUBITS)), ANGLES), max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, phase=st.floats(-7, 7, allow_nan=False))
def test_states_are_those_of_qiskit(
    spec: MakeSpec, steps: list[tuple[str, list[int], list[float]]], phase: float
) -> None:
    circuit = QuantumCircuit(QUBITS, global_phase=phase)
    for qubit in range(QUBITS):
        circuit.u(0.3 + qubit, 0.5, 0.7, qubit)
    for name, qubits, angles in steps:
        add(circuit, name, qubits, angles)
    state = data_of(circuit, spec(options={"save_state": True}))["statevector"]
    assert isinstance(state, Statevector)
    np.testing.assert_allclose(state.data, Statevector(circuit).data, atol=1e-9)


def test_every_gate_that_it_is_said_to_have_is_run_as_it_is(spec: MakeSpec) -> None:
    for name in NAMES:
        circuit = QuantumCircuit(QUBITS, name=name)
        circuit.h(range(QUBITS))
        add(circuit, name, [2, 0, 3, 1], [0.3, 0.5, 0.7, 0.9])
        state = data_of(circuit, spec(options={"save_state": True, "transpile": False}))["statevector"]
        np.testing.assert_allclose(state.data, Statevector(circuit).data, atol=1e-9, err_msg=name)


def sampled(name: str, qubits: int = 3) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits, qubits, name=name)
    circuit.h(range(qubits))
    circuit.cp(0.4, 0, 1)
    circuit.measure(range(qubits), range(qubits))
    return circuit


def decided(name: str) -> QuantumCircuit:
    """Make a circuit that measures in the middle and goes on by what it found."""
    circuit = QuantumCircuit(2, 2, name=name)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.h(0)
    circuit.measure([0, 1], [0, 1])
    return circuit


def test_an_experiment_gives_the_same_whatever_else_is_missing(spec: MakeSpec) -> None:
    circuits = [sampled(f"c{index}") if index % 2 else decided(f"c{index}") for index in range(10)]
    job = spec(memory=True, seed=2**63 - 1)
    assert ENGINE.check(program(*circuits), job) == Plan(10, 1)
    whole = {run.index: run for chunk in ENGINE.run(program(*circuits), job, [(0, 10)]) for run in chunk}
    some = [run for chunk in ENGINE.run(program(*circuits), job, [(2, 3), (7, 10)]) for run in chunk]
    assert [run.index for run in some] == [2, 7, 8, 9]
    for run in some:
        assert run.seed == whole[run.index].seed == 2**63 - 1 + 2113 * run.index
        assert run.result.to_dict() == whole[run.index].result.to_dict()
    assert len({tuple(run.result.data.memory) for run in whole.values()}) == 10


def test_the_last_seed_is_no_wish_for_another_one(spec: MakeSpec) -> None:
    job = spec(seed=2**63 - 1)  # of the library, -1 would be
    assert data_of(sampled("c"), job) == data_of(sampled("c"), job)
    assert data_of(sampled("c"), job) != data_of(sampled("c"), spec(seed=0))


def test_the_memory_has_the_counted_shots_in_no_order(spec: MakeSpec) -> None:
    data = data_of(sampled("c"), spec(memory=True, shots=200))
    assert {outcome: data["memory"].count(outcome) for outcome in data["counts"]} == data["counts"]
    assert len(data["memory"]) == 200
    assert data["memory"] != sorted(data["memory"])


Step = tuple[str, list[int], list[int]]
X0: Step = ("x", [0], [])
M00: Step = ("measure", [0], [0])


def one(*instructions: Step, qubits: int, clbits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits, clbits)
    for name, on, to in instructions:
        circuit.append(GATES[name], on, to)
    return circuit


@pytest.mark.parametrize(
    ("circuit", "outcome"),
    [
        (one(M00, qubits=1, clbits=1), "0x0"),
        (one(X0, M00, ("measure", [0], [4]), qubits=2, clbits=5), "0x11"),  # one qubit into two bits of many
        (one(X0, M00, X0, ("measure", [0], [3]), qubits=1, clbits=4), "0x1"),  # more bits than qubits, in the middle
        (one(X0, M00, X0, M00, qubits=2, clbits=1), "0x0"),  # the later measurement counts
        (one(X0, ("reset", [0], []), M00, ("x", [1], []), ("measure", [1], [1]), qubits=2, clbits=2), "0x2"),
        (one(X0, M00, ("id", [0], []), ("measure", [0], [1]), qubits=2, clbits=2), "0x3"),
        (one(X0, ("measure", [1], [0]), ("measure", [0], [0]), qubits=2, clbits=1), "0x1"),
        (one(X0, qubits=1, clbits=2), "0x0"),  # nothing is measured
    ],
)
def test_outcomes_are_in_the_bits_that_they_were_measured_into(
    spec: MakeSpec, circuit: QuantumCircuit, outcome: str
) -> None:
    assert data_of(circuit, spec(counts_required=False)) == {"counts": {outcome: 100}}


def test_bits_without_a_register_or_in_two_are_kept(spec: MakeSpec) -> None:
    loose = QuantumCircuit([Qubit(), Qubit()], [Clbit(), Clbit()])
    loose.add_register(ClassicalRegister(name="both", bits=list(reversed(loose.clbits))))
    loose.add_register(QuantumRegister(1, "c0"))
    loose.x(0)
    loose.measure(0, 1)
    assert data_of(loose, spec()) == {"counts": {"0x2": 100}}
    loose.reset(0)
    loose.x(2)
    loose.measure(2, 0)
    assert data_of(loose, spec()) == {"counts": {"0x3": 100}}
    with loose.if_test((loose.cregs[0], 1)):
        loose.x(0)
    assert "'if_else' with a condition on one of registers that share bits" in refusal(loose, spec())


def test_a_layout_does_not_reorder_outcomes(spec: MakeSpec) -> None:
    circuit = QuantumCircuit(3, 3)
    circuit.x(0)
    circuit.cx(0, 2)
    circuit.measure([0, 1, 2], [0, 1, 2])
    line = [[0, 1], [1, 0], [1, 2], [2, 1]]
    manager = generate_preset_pass_manager(
        1, basis_gates=["x", "cx"], coupling_map=line, initial_layout=[2, 0, 1], seed_transpiler=1
    )
    laid_out = manager.run(circuit)
    assert laid_out.layout is not None
    assert data_of(laid_out, spec()) == {"counts": {"0x5": 100}}


def test_decisions_on_bits_and_registers(spec: MakeSpec) -> None:
    first, second = ClassicalRegister(2, "first"), ClassicalRegister(1, "q")
    circuit = QuantumCircuit(QuantumRegister(2, "q_"), first, second)
    circuit.x(0)
    circuit.measure(0, first[1])
    with circuit.if_test((first, 2)) as otherwise:
        circuit.x(1)
        circuit.x(1)
        circuit.x(1)
    with otherwise:
        circuit.y(0)
    circuit.measure(1, second)
    assert data_of(circuit, spec()) == {"counts": {"0x6": 100}}


def test_hundreds_of_qubits_are_no_matter(spec: MakeSpec) -> None:
    circuit = QuantumCircuit(200, 200)
    circuit.h(0)
    for qubit in range(199):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(200), range(200))
    assert set(data_of(circuit, spec())["counts"]) == {"0x0", hex(2**200 - 1)}


def test_what_it_cannot_take_is_refused_by_name(spec: MakeSpec) -> None:
    looping = QuantumCircuit(1, 1, name="looping")
    with looping.while_loop((looping.clbits[0], 0)):
        looping.measure(0, 0)
    assert "contains 'while_loop', which ddsim_simulator cannot run; leave it out, or use" in refusal(looping, spec())
    inner = decided("inner")
    with inner.if_test((inner.clbits[0], 1)):
        inner.measure(1, 1)
    assert "has 'measure' inside of 'if_else', which ddsim_simulator cannot run" in refusal(inner, spec())
    clever = decided("clever")
    with clever.if_test(expr.logic_not(clever.clbits[0])):
        clever.x(0)
    assert "has 'if_else' with a condition that is an expression" in refusal(clever, spec())
    silent = QuantumCircuit(1, name="silent")
    assert "'silent' measures nothing" in refusal(silent, spec())
    assert "has 10001 qubits, and ddsim_simulator takes 10000" in refusal(
        QuantumCircuit(10_001, 1), spec(counts_required=False)
    )
    wordy = QuantumCircuit(1, 10_000, name="wordy")
    wordy.append(CircuitInstruction(GATES["reset"], [wordy.qubits[0]]))
    wordy.measure(0, 0)
    assert "has 10000 classical bits and measures before its end" in refusal(wordy, spec())
    saving = spec(options={"save_state": True})
    assert "'c' measures, resets or decides, and ddsim_simulator gives the state of gates" in refusal(
        sampled("c"), saving
    )
    assert "needs 16 GiB for its statevector of 29 qubits" in refusal(QuantumCircuit(29, name="wide"), saving)


def test_the_points_of_a_sweep_are_experiments(spec: MakeSpec) -> None:
    theta = Parameter("theta")
    circuit = QuantumCircuit(2, 2, global_phase=theta)
    circuit.rx(2 * theta, 0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    points = ((0.0,), (np.pi / 2,), (np.pi,))
    job = Program((circuit,), sweep=Sweep((Table(("theta",), points),)))
    assert ENGINE.check(job, spec()) == Plan(3, 1)
    runs = [run for chunk in ENGINE.run(job, spec(), [(0, 3)]) for run in chunk]
    assert [run.result.data.counts for run in runs] == [{"0x0": 100}, {"0x3": 100}, {"0x0": 100}]


def test_noise_and_instructions_of_aer_are_refused(spec: MakeSpec) -> None:
    with pytest.raises(CircuitRefused, match="ddsim_simulator runs without noise; use qasm_simulator"):
        ENGINE.check(Program((sampled("c"),), Surroundings(NoiseModel())), spec())
    saving = sampled("saving")
    saving.save_statevector()
    assert "contains 'save_statevector', which ddsim_simulator cannot run" in refusal(saving, spec())


def test_options_of_the_library_have_their_effect(spec: MakeSpec) -> None:
    circuit = qasm2.loads(layers(8, 6).replace("measure q -> c;", ""))
    coarse = {"approximation_step_fidelity": 0.7, "approximation_steps": 1, "approximation_strategy": "fidelity"}
    exact, rough = (
        data_of(circuit, spec(options={"save_state": True, **options}))["statevector"] for options in ({}, coarse)
    )
    assert 0.7 <= abs(exact.inner(rough)) ** 2 < 0.9
