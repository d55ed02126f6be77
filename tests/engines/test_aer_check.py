"""What is refused for its contents, before Aer would run it without a word."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Instruction, Parameter

from aerjob_cli.codec.circuits import decode_circuits
from aerjob_cli.codec.envelope import OPENQASM2
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.engines.aer import AerEngine
from aerjob_cli.engines.base import Plan
from aerjob_cli.engines.survey import survey
from aerjob_cli.errors import CircuitRefused

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
        AerEngine().check([ghz(2), circuit], spec)
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
    assert "'sweep' has parameters without a value: phi, theta; assign" in refusal(circuit, make_spec())


def test_a_missing_measurement_is_refused_for_texts_only(make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(1, name="silent")
    circuit.h(0)
    message = refusal(circuit, make_spec(counts_required=True))
    assert "'silent' measures nothing" in message
    assert "--measure-all" in message
    assert AerEngine().check([circuit], make_spec(counts_required=False)) == Plan(1, 1)


def test_a_measurement_in_a_body_counts(make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(2)):
        circuit.measure(0, 0)
    assert AerEngine().check([circuit], make_spec()) == Plan(1, 1)


def test_aers_own_instructions_are_refused(make_spec: MakeSpec) -> None:
    circuit = ghz(2)
    circuit.save_statevector()
    assert "'save_statevector', an instruction of Aer's own" in refusal(circuit, make_spec())


def test_an_opaque_gate_cannot_be_translated(make_spec: MakeSpec) -> None:
    text = b"OPENQASM 2.0;opaque mystery a;qreg q[1];creg c[1];mystery q[0];measure q->c;"
    (circuit,) = decode_circuits(OPENQASM2, text, "opaque.qasm")
    message = refusal(circuit, make_spec())
    assert "circuit 'opaque' cannot be translated" in message
    assert "mystery" in message
