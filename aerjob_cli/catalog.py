"""Which simulators exist, as data: the names a user may give, and what stands behind each.

This module imports no simulator; the engines do.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_BACKEND = "qasm_simulator"


@dataclass(frozen=True)
class Simulator:
    """One entry of the catalog.

    ``engine`` names the adapter that runs it, ``method`` the simulation method it is bound to (Aer's names), and
    ``returns`` says what a job of it gives, in words for a person.
    """

    name: str
    engine: str
    method: str
    returns: str
    description: str


SIMULATORS: dict[str, Simulator] = {
    simulator.name: simulator
    for simulator in (
        Simulator(
            name="qasm_simulator",
            engine="aer",
            method="automatic",
            returns="counts",
            description="Shot-based simulation with Aer, method chosen by Aer",
        ),
    )
}
