"""What runs untouched, what is translated, and that the meaning stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit.library import XGate
from qiskit.quantum_info import Operator

from aerjob_cli.codec.circuits import decode_circuits, encode_circuits
from aerjob_cli.codec.counts import bit_counts
from aerjob_cli.codec.envelope import OPENQASM2
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.engines.aer import AerEngine
from aerjob_cli.engines.aer_gates import gates_of
from aerjob_cli.engines.translation import runnable
from aerjob_cli.errors import CircuitRefused
from tests.support.programs import program

MakeSpec = Callable[..., JobSpec]


def from_text(body: str) -> QuantumCircuit:
    text = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n' + body
    return decode_circuits(OPENQASM2, text.encode(), "text.qasm")[0]


def test_what_aer_runs_is_left_alone() -> None:
    circuit = from_text("qreg q[3];creg c[3];cswap q[0],q[1],q[2];rzz(1) q[0],q[1];sx q[0];if(c==1) x q[0];")
    circuit.append(XGate().control(2, ctrl_state=1), [0, 1, 2])
    circuit.barrier()
    circuit.delay(10, 0)
    circuit.reset(0)
    circuit.initialize([1, 0], 0)
    circuit.measure([0, 1, 2], [0, 1, 2])
    assert runnable(circuit, gates_of("automatic"), 0) is circuit


def test_a_translation_keeps_name_metadata_registers_and_meaning() -> None:
    circuit = QuantumCircuit(
        QuantumRegister(2, "a"), QuantumRegister(2, "b"), ClassicalRegister(2, "c"), name="n", metadata={"k": [1]}
    )
    circuit.ch(0, 1)
    circuit.iswap(1, 3)
    circuit.dcx(2, 3)
    translated = runnable(circuit, gates_of("automatic"), 0)
    assert translated is not circuit
    assert (translated.name, translated.metadata) == ("n", {"k": [1]})
    assert (translated.qregs, translated.cregs) == (circuit.qregs, circuit.cregs)
    assert Operator(translated).equiv(Operator(circuit))
    assert runnable(circuit, gates_of("automatic"), 0) == translated


def test_a_translation_has_no_limit_of_qubits(make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(200, 200)
    circuit.dcx(0, 1)  # Clifford, and not among Aer's gates
    for qubit in range(199):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(200), range(200))
    spec = make_spec(max_memory_mb=64)
    AerEngine().check(program(circuit), spec)
    ((run,),) = AerEngine().run(program(circuit), spec, [(0, 1)])
    assert bit_counts(run.result.data.counts, run.result.header) == {"0" * 200: 100}


def test_gates_in_bodies_are_translated() -> None:
    circuit = QuantumCircuit(2, 1)
    with circuit.if_test((0, 1)):
        circuit.ch(0, 1)
    (block,) = runnable(circuit, gates_of("automatic"), 0).data[0].operation.blocks
    assert "ch" not in block.count_ops()
    assert Operator(block).equiv(Operator.from_label("II").compose(circuit.data[0].operation.blocks[0]))


@pytest.mark.parametrize(
    "body",
    [
        # Each defines a gate under the name of one of Aer's, to be something else: q[0] must end as 1.
        "gate ecr a { x a; } qreg q[2]; creg c[2]; ecr q[0]; measure q->c;",
        "gate r a { x a; } gate outer a { r a; } qreg q[2]; creg c[2]; outer q[0]; measure q->c;",
        "gate unitary a,b { x a; } qreg q[2]; creg c[2]; unitary q[0],q[1]; measure q->c;",
        "gate mcz_o1 a,b { x a; } qreg q[2]; creg c[2]; mcz_o1 q[0],q[1]; measure q->c;",
        "gate ecr a { x a; } qreg q[2]; creg c[2]; if(c==0) ecr q[0]; measure q->c;",
    ],
)
def test_a_gate_of_the_users_is_what_its_definition_says(make_spec: MakeSpec, body: str) -> None:
    circuit = from_text(body)
    for form in (circuit, decode_circuits(*encode_circuits([circuit]), "text.qpy")[0]):
        ((run,),) = AerEngine().run(program(form), make_spec(), [(0, 1)])
        assert run.result.data.counts == {"0x1": 100}


def test_a_circuit_as_a_gate_may_be_called_like_a_standard_one(make_spec: MakeSpec) -> None:
    inner = QuantumCircuit(1, name="h", global_phase=1.0)
    inner.x(0)
    circuit = QuantumCircuit(2, 1)
    circuit.append(inner.to_gate(), [1])
    circuit.measure(1, 0)
    ((run,),) = AerEngine().run(program(circuit), make_spec(), [(0, 1)])
    assert run.result.data.counts == {"0x1": 100}
    without = circuit.remove_final_measurements(inplace=False)
    assert Operator(runnable(without, gates_of("automatic"), 0)) == Operator(without)


def test_a_bomb_of_definitions_is_searched_in_no_time() -> None:
    gates = "".join(f"gate g{i + 1} a {{ g{i} a; g{i} a; }}\n" for i in range(40))
    circuit = from_text(f"gate g0 a {{ h a; }}\n{gates}qreg q[1]; x q[0];")
    assert runnable(circuit, gates_of("automatic"), 0) is circuit


def test_without_translation_only_what_runs_as_it_is_is_taken(make_spec: MakeSpec) -> None:
    spec = make_spec(options={"transpile": False}, counts_required=False)
    native = QuantumCircuit(2, 2, name="native")
    native.h(0)
    native.measure([0, 1], [0, 1])
    AerEngine().check(program(native), spec)
    foreign = QuantumCircuit(2, 1, name="foreign")
    with foreign.if_test((0, 1)):
        foreign.ch(0, 1)
    shadow = from_text("gate ecr a { x a; } qreg q[1]; ecr q[0];")
    for circuit, gate in ((foreign, "ch"), (shadow, "ecr")):
        with pytest.raises(CircuitRefused, match=f"contains '{gate}', which the method 'automatic' does not run as it"):
            AerEngine().check(program(circuit), spec)
    AerEngine().check(program(foreign), make_spec(counts_required=False))
