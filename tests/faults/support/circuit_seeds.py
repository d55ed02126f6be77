"""Good circuits in every format, for mutants to begin with: small, and of many kinds of content."""

from __future__ import annotations

import io

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qpy
from qiskit.circuit import Gate, Parameter
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import PauliEvolutionGate, UnitaryGate
from qiskit.quantum_info import SparsePauliOp

_OLDEST_QPY = 13

OPENQASM2 = (
    b'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\nh q[0];\ncx q[0],q[1];\nmeasure q->c;\n',
    b"""OPENQASM 2.0;
include "qelib1.inc";
// a comment
gate mine(theta, phi) a, b { rx(theta/2 + sin(phi)^2) a; cx a, b; U(0, -pi, 1e-3) b; barrier a, b; }
opaque magic(x) a;
qreg q[3];
qreg anc[2];
creg c[3];
creg flag[1];
mine(0.5, pi/4) q[0], q[1];
mine(1, ln(2)) q[2], anc[1];
ccx q[0], q[1], anc[0];
u3(0.1, 0.2, 0.3) q;
reset anc;
if (c == 3) x q[2];
measure q[0] -> flag[0];
measure q -> c;
""",
    b"OPENQASM 2.0;\nqreg q[1];\ncreg c[1];\nU(pi/2,0,pi) q[0];\nreset q[0];\nmeasure q -> c;\n",
    b'OPENQASM 2.0;include "qelib1.inc";qreg q[4];creg c[4];cswap q[0],q[1],q[2];rzz(0.3) q[0],q[3];sx q[1];'
    b"rccx q[0],q[1],q[2];c3x q[0],q[1],q[2],q[3];measure q->c;",
)

OPENQASM3 = (
    b'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\nc = measure q;\n',
    b"""OPENQASM 3;
include "stdgates.inc";
/* a comment */
gate mine(theta) a, b { rx(theta / 2) a; ctrl @ inv @ s a, b; gphase(pi / 7); }
qubit[3] q;
qubit anc;
bit[3] c;
bit flag;
let pair = q[0:1];
mine(0.25) q[0], anc;
pow(2) @ negctrl @ x q[0], q[1];
flag = measure anc;
if (flag) { x q[2]; } else { h q[2]; }
for int i in [0:2] { rz(0.1) q[0]; }
while (c == 3) { h q[0]; c = measure q; }
U(0.1, 0.2, 0.3) pair[1];
barrier q;
reset anc;
delay[10ns] q[0];
c = measure q;
""",
    b"bit c;\nU(0, 0, pi) $0;\ngphase(0.1);\nc = measure $0;\n",
)


def qpy_files() -> tuple[bytes, ...]:
    """Write circuits as QPY, in each version from 13 on."""
    circuits = (_bell(), _with_gates(), _with_control_flow(), _with_objects())
    files = [_dumped(list(circuits), version) for version in range(_OLDEST_QPY, qpy.common.QPY_VERSION + 1)]
    return (*(_dumped([circuit], qpy.common.QPY_VERSION) for circuit in circuits), *files)


def _dumped(circuits: list[QuantumCircuit], version: int) -> bytes:
    file = io.BytesIO()
    qpy.dump(circuits, file, version=version)
    return file.getvalue()


def _bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name="bell", metadata={"made": "here", "list": [1, 2.5, None]})
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def _with_gates() -> QuantumCircuit:
    inner = QuantumCircuit(2, name="inner")
    inner.rx(0.3, 0)
    inner.cx(0, 1)
    circuit = QuantumCircuit(QuantumRegister(3, "a"), ClassicalRegister(3, "b"), global_phase=0.5, name="gates")
    circuit.append(inner.to_gate().control(1, ctrl_state=0), [0, 1, 2])
    circuit.append(Gate("h", 1, []), [0])
    theta = Parameter("θ")
    circuit.rz(theta * 2 + 1, 0)
    circuit.assign_parameters({theta: 0.25}, inplace=True)
    circuit.u(0.1, 0.2, 0.3, 1)
    circuit.delay(100, 2, unit="dt")
    circuit.barrier()
    circuit.reset(1)
    circuit.measure(circuit.qubits, circuit.clbits)
    return circuit


def _with_control_flow() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3, name="flow")
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        circuit.x(1)
    with otherwise:
        circuit.h(1)
    with circuit.for_loop(range(3)):
        circuit.s(2)
        with circuit.if_test(expr.logic_and(circuit.clbits[0], circuit.clbits[1])):
            circuit.break_loop()
    with circuit.switch(circuit.cregs[0]) as case:
        with case(0, 1):
            circuit.x(0)
        with case(case.DEFAULT):
            circuit.y(0)
    with circuit.while_loop((circuit.clbits[2], 0)):
        circuit.x(2)
        circuit.measure(2, 2)
    circuit.add_var("v", expr.lift(7, types.Uint(8)))
    circuit.measure(circuit.qubits, circuit.clbits)
    return circuit


def _with_objects() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name="objects")
    circuit.append(UnitaryGate(np.array([[0, 1], [1, 0]])), [0])
    circuit.append(PauliEvolutionGate(SparsePauliOp(["XX", "ZI"], [0.5, -1.0]), time=0.7), [0, 1])
    circuit.initialize([1, 0, 0, 0])
    circuit.measure([0, 1], [0, 1])
    return circuit
