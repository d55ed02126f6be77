"""What each method of Aer runs by name, and the target of a translation to it.

The target of ``AerSimulator()`` itself refuses more than about 30 qubits, also where the method could run them; the
one here has no number of qubits.
"""

from __future__ import annotations

from functools import lru_cache

from qiskit.transpiler import Target
from qiskit_aer import AerSimulator
from qiskit_aer.backends.name_mapping import NAME_MAPPING

from aerjob_cli.engines.translation import GateSet

# Aer's compiler leaves these out or takes them apart itself, whatever the method's list of gates says.
_ALWAYS_NATIVE = frozenset({"measure", "barrier", "delay", "reset"})
# But these its methods refuse when they run; a test asks Aer.
_REFUSED = {"unitary": frozenset({"measure", "reset"}), "superop": frozenset({"measure"})}
_GENERAL = ("automatic", "statevector")


@lru_cache
def gates_of(method: str) -> GateSet:
    """List the instructions that Aer's ``method`` runs."""
    refused = _REFUSED.get(method, frozenset())
    basis = [name for name in AerSimulator(method=method).configuration().basis_gates if name not in refused]
    known = [*basis, *(name for name in ("measure",) if name not in refused)]
    if method in _GENERAL:
        remedy = "define it by standard gates"
    elif method in _REFUSED:
        remedy = "leave it out, or use a simulator or a method that gives counts"
    else:
        remedy = "leave it out, or use another method, for example automatic"
    return GateSet(
        label=f"the method {method!r}",
        remedy=remedy,
        names=(frozenset(basis) | _ALWAYS_NATIVE) - refused,
        # Without the de-duplication: "roerror is already in the target".
        target=Target.from_configuration(list(dict.fromkeys(known)), num_qubits=None, custom_name_mapping=NAME_MAPPING),
        has_open_controls=True,
    )
