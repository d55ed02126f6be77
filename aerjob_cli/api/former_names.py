"""The names that the simulators had in earlier releases of Qiskit, for code that still says them."""

from __future__ import annotations

FORMER_NAMES = {
    "qasm_simulator_py": "qasm_simulator",
    "statevector_simulator_py": "statevector_simulator",
    "unitary_simulator_py": "unitary_simulator",
    "local_qasm_simulator_py": "qasm_simulator",
    "local_statevector_simulator_py": "statevector_simulator",
    "local_unitary_simulator_py": "unitary_simulator",
    "local_qasm_simulator": "qasm_simulator",
    "local_statevector_simulator": "statevector_simulator",
    "local_unitary_simulator": "unitary_simulator",
}
