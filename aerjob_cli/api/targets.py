"""What a simulator can run, as the transpiler's ``Target``: every gate of the method, on any number of qubits."""

from __future__ import annotations

from functools import lru_cache

from qiskit.transpiler import Target


@lru_cache
def target_of_aer(method: str) -> Target:
    """Build the target of one of Aer's methods, without a limit of qubits.

    The target of ``AerSimulator()`` itself refuses more than about 30 qubits, also where the method could run them.
    """
    from qiskit_aer import AerSimulator
    from qiskit_aer.backends.name_mapping import NAME_MAPPING

    basis = AerSimulator(method=method).configuration().basis_gates
    # Without the de-duplication: "roerror is already in the target".
    return Target.from_configuration(
        list(dict.fromkeys([*basis, "measure"])), num_qubits=None, custom_name_mapping=NAME_MAPPING
    )
