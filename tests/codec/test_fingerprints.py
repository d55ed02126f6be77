"""Fingerprints: equal for what is equal, whoever made it, and different for what differs in anything that matters."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
import qiskit_aer  # noqa: F401 - it gives circuits their save_*
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import AnnotatedOperation, ControlModifier, Operation, Parameter
from qiskit.circuit.library import CXGate, PauliEvolutionGate, RXGate, XGate
from qiskit.quantum_info import Clifford, SparsePauliOp
from qiskit.synthesis import LieTrotter

from aerjob_cli.codec.fingerprints import fingerprint

MADE = """
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from aerjob_cli.codec.fingerprints import fingerprint

def parts(*names):
    circuits = [QuantumCircuit(1, name=name) for name in names]
    for angle, circuit in enumerate(circuits):
        circuit.rx(angle, 0)
    return [circuit.to_gate() for circuit in circuits]

for _ in range(UNNAMED):
    QuantumCircuit(1)
a, b, v = Parameter("a"), Parameter("b"), ParameterVector("v", 3)
circuit = QuantumCircuit(2, 1)
for gate in parts("one", "two", "three"):
    circuit.append(gate, [0])
circuit.rx(a + 2 * b + v[0] * v[2] + v[1] / 3, 0)
with circuit.if_test((circuit.cregs[0], 1)):
    circuit.h(1)
circuit.measure(0, 0)
print(fingerprint([circuit]))
"""


@pytest.mark.parametrize("without", ["", "with circuit.if_test((circuit.cregs[0], 1)):\n    circuit.h(1)\n"])
def test_the_same_circuit_has_one_fingerprint_in_every_process(without: str) -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", MADE.replace("UNNAMED", str(unnamed)).replace(without, "")],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": str(unnamed)},
        ).stdout
        for unnamed in (1, 5)
    }
    assert len(found) == 1


def test_a_fingerprint_is_what_it_was_when_a_store_was_made() -> None:
    circuit = QuantumCircuit(2, 2, name="kept")
    circuit.h(0)
    circuit.append(RXGate(1, label="one"), [0])
    circuit.ry(0.25, 1)
    circuit.rz(Parameter("a"), 1)
    circuit.cp(Parameter("b") / 2, 0, 1)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    assert fingerprint([circuit]) == "cdccd42a1be8f92e97ca748830ec47a71a0a611ec838eb2d3eece30686ccf65e"


def base() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name="base")
    circuit.rx(Parameter("a") * 2, 0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def changed(change: Callable[[QuantumCircuit], object]) -> QuantumCircuit:
    circuit = base()
    change(circuit)
    return circuit


def another_angle() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name="base")
    circuit.rx(Parameter("a") * 3, 0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


@pytest.mark.parametrize(
    "other",
    [
        changed(lambda circuit: circuit.h(0)),
        changed(lambda circuit: setattr(circuit, "name", "other")),
        changed(lambda circuit: setattr(circuit, "metadata", {"x": 1})),
        changed(lambda circuit: setattr(circuit, "global_phase", 0.5)),
        changed(lambda circuit: circuit.add_register(ClassicalRegister(1, "more"))),
        changed(lambda circuit: circuit.delay(10, 0)),
        another_angle(),
    ],
)
def test_a_difference_is_seen(other: QuantumCircuit) -> None:
    assert fingerprint([base()]) == fingerprint([base()])
    assert fingerprint([other]) not in (None, fingerprint([base()]))


def test_definitions_are_looked_into() -> None:
    found = set()
    for angle in (0.1, 0.2):
        inner = QuantumCircuit(1, name="mine")
        inner.rx(angle, 0)
        circuit = QuantumCircuit(1, name="outer")
        circuit.append(inner.to_gate(), [0])
        found.add(fingerprint([circuit]))
    assert len(found) == 2


def evolved(strength: float, steps: int) -> QuantumCircuit:
    circuit = QuantumCircuit(2, name="evolved")
    hamiltonian = SparsePauliOp(["XX", "ZI"], [strength, 0.5])
    circuit.append(PauliEvolutionGate(hamiltonian, 0.7, synthesis=LieTrotter(reps=steps)), [0, 1])
    return circuit


def switched(bit: int, value: int) -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name="switched")
    body = QuantumCircuit(2, 2)
    body.x(0)
    circuit.switch(circuit.clbits[bit], [(value, body)], [0, 1], [0, 1])
    return circuit


@pytest.mark.parametrize("circuit", [evolved(0.1, 1), evolved(3.0, 1), evolved(0.1, 5), switched(0, 1), switched(1, 0)])
def test_what_holds_more_than_can_be_seen_has_none(circuit: QuantumCircuit) -> None:
    assert fingerprint([circuit]) is None


@pytest.mark.parametrize("operation", [AnnotatedOperation(XGate(), [ControlModifier(1)]), Clifford(CXGate())])
def test_operations_that_are_no_instructions_have_none(operation: Operation) -> None:
    circuit = QuantumCircuit(2, name="odd")
    circuit.append(operation, [0, 1])
    assert fingerprint([circuit]) is None


def branching(bit: int, label: str) -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name="branching")
    circuit.ry(Parameter("theta"), 0)
    with circuit.if_test((circuit.clbits[bit], 1)):
        circuit.rx(0.3, 1)
    with circuit.for_loop(range(3)):
        circuit.h(0)
    circuit.save_statevector(label=label)
    return circuit


def test_a_loop_of_many_turns_is_compared_by_its_ends() -> None:
    found = set()
    for turns in (10**12, 10**12 + 1):
        circuit = QuantumCircuit(1, name="endless")
        with circuit.for_loop(range(turns)):
            circuit.h(0)
        found.add(fingerprint([circuit]))
    assert len(found) == 2
    assert None not in found


def test_conditions_loops_and_what_is_saved_are_compared() -> None:
    assert fingerprint([branching(0, "a")]) == fingerprint([branching(0, "a")]) is not None
    assert len({fingerprint([branching(bit, label)]) for bit in (0, 1) for label in ("a", "b")}) == 4
