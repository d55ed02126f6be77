"""Which simulators aerjob brings, as data: the names a user may give, and what stands behind each.

A plugin describes its simulators in the same way (``plugins.discovery`` finds them). This module imports no simulator;
the engines do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field

from aerjob_cli.frozen import dataclass

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
# Those that can save the value of an observable; a test asks Aer.
_ESTIMATING_METHODS = ("automatic", "statevector", "density_matrix", "stabilizer", "matrix_product_state")

SAMPLER = "sampler"
ESTIMATOR = "estimator"
PRIMITIVES_BACKEND = "aer_simulator"  # what they stand on


# Where the engines are: a module and a class in it, imported when a circuit is to be checked or run.
AER_ENGINE = "aerjob_cli.engines.aer:AerEngine"
BASIC_ENGINE = "aerjob_cli.engines.basic:BasicEngine"
SAMPLER_ENGINE = "aerjob_cli.engines.primitives:SamplerEngine"
ESTIMATOR_ENGINE = "aerjob_cli.engines.primitives:EstimatorEngine"

# Names stand in shells, file names, tables and JSON; the place of an engine is importable.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_PLACE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*")
_SENTENCE_CHARACTERS = 200


@dataclass(frozen=True)
class Option:
    """One option: its type, and its range or its words. Bounds are inclusive; a number has both."""

    kind: type[bool] | type[int] | type[float] | type[str]
    minimum: float | None = None
    maximum: float | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Simulator:
    """One simulator.

    ``engine`` is where its adapter is, as ``module:Class``; ``methods`` are the simulation methods that a job may ask
    for (Aer's names, where it is the same) and ``method`` is the one it gets otherwise. ``returns`` says what a job of
    it gives, in words for a person. ``options`` are those beyond what every simulator takes, by name.

    ``needs`` is the distribution of the library that the engine imports, where it may be missing, and ``remedy`` the
    command that installs it. Raises ``ValueError`` for a name or a text that could not be shown, or no engine.
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
    # Whether it is one of Qiskit's primitives, which runs PUBs on Aer and is no backend.
    is_primitive: bool = False
    options: Mapping[str, Option] = field(default_factory=dict, hash=False)
    needs: str | None = None
    remedy: str | None = None

    def __post_init__(self) -> None:
        for name in (self.name, *self.methods, *self.options):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name; write a letter and up to 63 letters, digits, '_', '.' or '-'")
        if not _PLACE.fullmatch(self.engine):
            raise ValueError(f"the engine of {self.name} is {self.engine!r}; write module:Class")
        if self.method not in self.methods:
            raise ValueError(f"the method {self.method!r} of {self.name} is none of {self.methods!r}")
        for text in (self.returns, self.description, self.remedy or "-"):
            if not 0 < len(text) <= _SENTENCE_CHARACTERS or not text.isprintable():
                raise ValueError(f"{text!r} of {self.name} is no line of 1 to {_SENTENCE_CHARACTERS} characters")
        for name, option in self.options.items():
            if option.kind in (int, float) and (option.minimum is None or option.maximum is None):
                raise ValueError(f"the option {name!r} of {self.name} is a number without a minimum and a maximum")

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
            engine=AER_ENGINE,
            method="automatic",
            methods=_COUNTING_METHODS,
            returns="counts",
            description="Shot-based simulation with Aer, method chosen by Aer",
            may_give_state=True,
        ),
        Simulator(
            name="statevector_simulator",
            engine=AER_ENGINE,
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
            engine=AER_ENGINE,
            method="unitary",
            methods=("unitary",),
            returns="unitary",
            description="The matrix of a circuit without measurements, with Aer",
            default_shots=1,
            always_gives_state=True,
        ),
        Simulator(
            name="aer_simulator",
            engine=AER_ENGINE,
            method="automatic",
            methods=(*_COUNTING_METHODS, "unitary", "superop"),
            returns="counts, or what the method gives",
            description="Every method of Aer that runs on a CPU",
            may_give_state=True,
        ),
        Simulator(
            name="basic_simulator",
            engine=BASIC_ENGINE,
            method="statevector",
            methods=("statevector",),
            returns="counts",
            description="Qiskit's own simulator in Python, for comparison",
            max_qubits=24,
        ),
        Simulator(
            name=SAMPLER,
            engine=SAMPLER_ENGINE,
            method="automatic",
            methods=_COUNTING_METHODS,
            returns="samples of each classical register",
            description="Qiskit's sampler primitive on Aer (DurableSampler)",
            is_primitive=True,
        ),
        Simulator(
            name=ESTIMATOR,
            engine=ESTIMATOR_ENGINE,
            method="automatic",
            methods=_ESTIMATING_METHODS,
            returns="expectation values of observables",
            description="Qiskit's estimator primitive on Aer (DurableEstimator)",
            is_primitive=True,
        ),
    )
}
