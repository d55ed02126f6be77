"""Which simulators exist, as data: the names a user may give, and what stands behind each.

This module imports no simulator; the engines do.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_BACKEND = "qasm_simulator"
DEFAULT_SHOTS = 1024  # AerSimulator's own default

# Aer's methods that simulate no measurement: all they can give is what the circuit is as a whole.
METHODS_WITHOUT_COUNTS = frozenset({"unitary", "superop"})
# What Aer's methods refuse by themselves (its CH form keeps a qubit in each bit of a 64-bit word).
_METHOD_MAX_QUBITS = {"extended_stabilizer": 63}
_COUNTING_METHODS = (
    "automatic",
    "statevector",
    "density_matrix",
    "stabilizer",
    "matrix_product_state",
    "extended_stabilizer",
)


@dataclass(frozen=True, kw_only=True)
class Simulator:
    """One entry of the catalog.

    ``engine`` names the adapter that runs it, ``methods`` the simulation methods that a job may ask for (Aer's names)
    and ``method`` the one it gets otherwise. ``returns`` says what a job of it gives, in words for a person.
    """

    name: str
    engine: str
    method: str
    methods: tuple[str, ...]
    returns: str
    description: str
    default_shots: int = DEFAULT_SHOTS
    # Whether each job of it has the final state in its result, without asking for it.
    always_gives_state: bool = False
    # Whether a job of it may ask for the final state (the option ``save_state``).
    may_give_state: bool = False
    # What the simulator takes whatever the memory; None where only the memory is a bound.
    max_qubits: int | None = None

    def max_qubits_of(self, method: str) -> int | None:
        """Give what the simulator takes with that method whatever the memory; None where only the memory bounds it."""
        return _METHOD_MAX_QUBITS.get(method, self.max_qubits)

    def gives_state(self, method: str) -> bool:
        """Tell whether a job with that method has the final state in its result, without asking for it."""
        return self.always_gives_state or method in METHODS_WITHOUT_COUNTS


SIMULATORS: dict[str, Simulator] = {
    simulator.name: simulator
    for simulator in (
        Simulator(
            name="qasm_simulator",
            engine="aer",
            method="automatic",
            methods=_COUNTING_METHODS,
            returns="counts",
            description="Shot-based simulation with Aer, method chosen by Aer",
            may_give_state=True,
        ),
        Simulator(
            name="statevector_simulator",
            engine="aer",
            method="statevector",
            methods=("statevector",),
            returns="statevector, and counts of what is measured",
            description="The final statevector, with Aer",
            # One run of a circuit that measures ends in one state; more shots give more counts.
            default_shots=1,
            always_gives_state=True,
        ),
        Simulator(
            name="unitary_simulator",
            engine="aer",
            method="unitary",
            methods=("unitary",),
            returns="unitary",
            description="The matrix of a circuit without measurements, with Aer",
            default_shots=1,
            always_gives_state=True,
        ),
        Simulator(
            name="aer_simulator",
            engine="aer",
            method="automatic",
            methods=(*_COUNTING_METHODS, "unitary", "superop"),
            returns="counts, or what the method gives",
            description="Every method of Aer that runs on a CPU",
            may_give_state=True,
        ),
        Simulator(
            name="basic_simulator",
            engine="basic",
            method="statevector",
            methods=("statevector",),
            returns="counts",
            description="Qiskit's own simulator in Python, for comparison",
            max_qubits=24,
        ),
    )
}
