"""What is refused for its contents, before Aer would run it without a word."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import numpy as np
import pytest
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Instruction, Parameter

from aerjob_cli.catalog import SIMULATORS
from aerjob_cli.codec.circuits import decode_circuits
from aerjob_cli.codec.envelope import OPENQASM2, QPY
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.engines.aer import AerEngine
from aerjob_cli.engines.base import Plan
from aerjob_cli.engines.survey import survey
from aerjob_cli.errors import CircuitRefused
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


def refusal(circuit: QuantumCircuit, spec: JobSpec) -> str:
    with pytest.raises(CircuitRefused) as caught:
        AerEngine().check(program(ghz(2), circuit), spec)
    return caught.value.message


@pytest.mark.parametrize("angle", [math.nan, math.inf, -math.inf])
def test_angles_that_are_no_finite_numbers_are_refused(make_spec: MakeSpec, angle: float) -> None:
    circuit = QuantumCircuit(1, 1, name="broken")
    circuit.rx(angle, 0)
    circuit.measure(0, 0)
    assert refusal(circuit, make_spec()).startswith("circuit 'broken' has a parameter of rx that is not a finite")


def test_they_are_found_where_they_hide(make_spec: MakeSpec) -> None:
    in_a_body = QuantumCircuit(1, 1)
    with in_a_body.if_test((0, 1)):
        in_a_body.rz(math.nan, 0)
    in_the_phase = QuantumCircuit(1, 1, global_phase=math.nan)
    (in_a_definition,) = decode_circuits(
        OPENQASM2,
        b'OPENQASM 2.0;include "qelib1.inc";gate g a{rx(1e999) a;}qreg q[1];creg c[1];g q[0];measure q->c;',
        "g.qasm",
    )
    for circuit in (in_a_body, in_the_phase, in_a_definition):
        assert "not a finite number" in refusal(circuit, make_spec(counts_required=False))


def test_array_parameters_are_looked_into() -> None:
    circuit = QuantumCircuit(1)
    circuit.initialize([1, 0], 0)
    assert survey(circuit).nonfinite is None
    circuit.append(Instruction("odd", 1, 0, [np.array([1.0, math.nan])]), [0])
    assert survey(circuit).nonfinite == "odd"


def test_parameters_without_a_value_are_refused_by_name(make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(1, 1, name="sweep")
    circuit.rx(Parameter("theta") + Parameter("phi"), 0)
    circuit.measure(0, 0)
    assert "'sweep' has parameters without a value: phi, theta; give them some, as --bind phi=0.3" in refusal(
        circuit, make_spec()
    )


def test_a_missing_measurement_is_refused_for_texts_only(make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(1, name="silent")
    circuit.h(0)
    message = refusal(circuit, make_spec(counts_required=True))
    assert "'silent' measures nothing" in message
    assert "--measure-all" in message
    assert AerEngine().check(program(circuit), make_spec(counts_required=False)) == Plan(1, 1)


def test_a_measurement_in_a_body_counts(make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(2)):
        circuit.measure(0, 0)
    assert AerEngine().check(program(circuit), make_spec()) == Plan(1, 1)


def test_aers_own_instructions_are_refused_that_qpy_has_spoilt(make_spec: MakeSpec) -> None:
    circuit = ghz(2)
    circuit.save_statevector()
    file = io.BytesIO()
    qpy.dump(circuit, file)
    (spoilt,) = decode_circuits(QPY, file.getvalue(), "saving.qpy")
    assert "'save_statevector', an instruction of Aer's own" in refusal(spoilt, make_spec())


def test_an_opaque_gate_cannot_be_translated(make_spec: MakeSpec) -> None:
    text = b"OPENQASM 2.0;opaque mystery a;qreg q[1];creg c[1];mystery q[0];measure q->c;"
    (circuit,) = decode_circuits(OPENQASM2, text, "opaque.qasm")
    message = refusal(circuit, make_spec())
    assert "circuit 'opaque' contains 'mystery', which the method 'automatic' cannot run; define it by" in message


def gates_and_more() -> dict[str, QuantumCircuit]:
    """Make a circuit of each kind that some method cannot run."""
    circuits: dict[str, QuantumCircuit] = {}
    for name in ("t", "h", "sx", "ccx", "cswap", "rx", "rzz", "mcx", "measure", "reset", "initialize", "delay"):
        circuit = QuantumCircuit(4, 4, name=name)
        match name:
            case "rx":
                circuit.rx(0.3, 0)
            case "rzz":
                circuit.rzz(0.3, 0, 1)
            case "mcx":
                circuit.mcx([0, 1, 2], 3)
            case "ccx" | "cswap":
                getattr(circuit, name)(0, 1, 2)
            case "measure":
                circuit.measure(0, 0)
            case "initialize":
                circuit.initialize([0, 1], 0)
            case "delay":
                circuit.delay(1, 0)
            case _:
                getattr(circuit, name)(0)
        circuits[name] = circuit
    branch = QuantumCircuit(2, 2, name="if_else")
    branch.h(0)
    with branch.if_test((0, 0)):
        branch.x(1)
    loop = QuantumCircuit(2, 2, name="for_loop")
    with loop.for_loop(range(2)):
        loop.x(1)
    return {**circuits, "if_else": branch, "for_loop": loop}


@pytest.mark.parametrize("method", SIMULATORS["aer_simulator"].methods)
def test_what_a_method_cannot_run_is_refused_by_name_and_the_rest_runs(make_spec: MakeSpec, method: str) -> None:
    spec = make_spec(backend="aer_simulator", method=method, counts_required=False, shots=5)
    refused = {}
    for name, circuit in gates_and_more().items():
        try:
            AerEngine().check(program(circuit), spec)
        except CircuitRefused as error:
            refused[name] = error.message
        else:
            # Whatever passes, Aer itself runs.
            ((run,),) = AerEngine().run(program(circuit), spec, [(0, 1)])
            assert run.result.success
    for name, message in refused.items():
        assert f"circuit {name!r} contains {name!r}, which the method {method!r} cannot run; " in message
    control_flow = {"if_else", "for_loop"}
    expected = {
        "stabilizer": {"t", "rx", "rzz", "ccx", "cswap", "mcx"},
        "extended_stabilizer": control_flow,
        "unitary": {"measure", "reset", "initialize", *control_flow},
        "superop": {"measure", *control_flow},
    }
    assert set(refused) == expected.get(method, set())


def test_a_gate_in_a_body_is_named(make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(2, 1, name="nested")
    with circuit.if_test((0, 1)):
        circuit.h(0)
        circuit.t(0)
    message = refusal(circuit, make_spec(method="stabilizer", counts_required=False))
    assert "contains 't', which the method 'stabilizer' cannot run; leave it out, or use another method" in message


def test_clifford_gates_by_other_names_run_on_a_tableau(make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.u(math.pi / 2, 0, math.pi, 0)
    circuit.dcx(0, 1)
    circuit.measure([0, 1], [0, 1])
    spec = make_spec(method="stabilizer")
    AerEngine().check(program(circuit), spec)
    ((run,),) = AerEngine().run(program(circuit), spec, [(0, 1)])
    assert sum(run.result.data.counts.values()) == spec.shots


def test_the_extended_stabilizer_takes_so_many_qubits_and_gives_no_state(make_spec: MakeSpec) -> None:
    # One more would end the process: "The CH simulator only supports up to 63 qubits."
    spec = make_spec(method="extended_stabilizer", shots=1)
    AerEngine().check(program(ghz(63)), spec)
    assert "has 64 qubits, and the method 'extended_stabilizer' takes 63" in refusal(ghz(64), spec)
    saving = make_spec(method="extended_stabilizer", options={"save_state": True})
    assert "'extended_stabilizer' has no final state" in refusal(ghz(2), saving)


def test_a_device_that_is_not_there_is_refused(make_spec: MakeSpec) -> None:
    message = refusal(ghz(2), make_spec(options={"device": "GPU"}))
    assert "the option 'device' is 'GPU', and the installed Aer has CPU only" in message


@pytest.mark.parametrize("backend", ["statevector_simulator", "unitary_simulator"])
def test_a_state_needs_no_measurement(make_spec: MakeSpec, backend: str) -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    method = SIMULATORS[backend].method
    assert AerEngine().check(program(circuit), make_spec(backend=backend, method=method)) == Plan(1, 1)
