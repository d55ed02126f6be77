"""The experiments of a job: its circuits, each with the values of one point of the sweep, ready for the simulator.

A circuit is translated once, with its parameters, and then gets the values; a circuit without parameters is translated
when it is its turn, so that only those of one call are in memory.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterExpression

from aerjob_cli.codec.sweeps import Sweep
from aerjob_cli.errors import CircuitRefused, brief

_SHOWN_NAMES = 5

Translation = Callable[[QuantumCircuit], QuantumCircuit]


class Experiments:
    """The experiments of some circuits under a sweep, counted from 0 in the order of ``sweeps``."""

    def __init__(self, circuits: Sequence[QuantumCircuit], sweep: Sweep, translate: Translation) -> None:
        self._circuits = circuits
        self._sweep = sweep
        self._translate = translate
        self._starts = [0, *accumulate(len(sweep.of(place).points) for place in range(len(circuits)))]
        self._translated: tuple[int, QuantumCircuit] | None = None  # the one that was used last

    def __len__(self) -> int:
        return self._starts[-1]

    def ready(self, position: int) -> QuantumCircuit:
        """Give the circuit of one experiment, translated and with its values; raises ``CircuitRefused``."""
        place = bisect_right(self._starts, position) - 1
        if not self._sweep.of(place).names:
            return self._translate(self._circuits[place])
        if self._translated is None or self._translated[0] != place:
            self._translated = place, self._translate(self._circuits[place])
        return self._with_values(self._translated[1], place, position - self._starts[place])

    def first_of(self, place: int) -> QuantumCircuit:
        """Give a circuit as it was submitted, with the values of its first point."""
        circuit = self._circuits[place]
        return self._with_values(circuit, place, 0) if self._sweep.of(place).names else circuit

    def others_of(self, place: int) -> list[QuantumCircuit]:
        """Give the circuit with the values of each further point, if these could make what is no finite number.

        A parameter that stands by itself gets the value as it is, and those are finite.
        """
        circuit = self._circuits[place]
        points = len(self._sweep.of(place).points)
        if points == 1 or not _has_expressions(circuit):
            return []
        return [self._with_values(circuit, place, point) for point in range(1, points)]

    def check_names(self) -> None:
        """Refuse a sweep over parameters that no circuit has; raises ``CircuitRefused``."""
        known = {parameter.name for circuit in self._circuits for parameter in circuit.parameters}
        for table in self._sweep.tables:
            unknown = [name for name in table.names if name not in known]
            if unknown:
                there_are = f"there is {_listing(sorted(known))}" if known else "the circuits have no parameters"
                raise CircuitRefused(f"no circuit has a parameter {brief(unknown[0])}; {there_are}")

    def _with_values(self, circuit: QuantumCircuit, place: int, point: int) -> QuantumCircuit:
        table = self._sweep.of(place)
        values = dict(zip(table.names, table.points[point], strict=True))
        try:
            bound = circuit.assign_parameters(values, strict=False)
        except ArithmeticError as error:
            # Qiskit's own word for an angle like 1/θ at 0.
            raise CircuitRefused(
                f"circuit {brief(circuit.name)} has a parameter that is not a finite number at point {point} of the "
                "sweep; leave that out"
            ) from error
        bound.name = circuit.name
        return bound


def _has_expressions(circuit: QuantumCircuit) -> bool:
    """Tell whether a value is computed from a parameter anywhere."""
    if isinstance(circuit.global_phase, ParameterExpression):
        return True
    for instruction in circuit.data:
        for value in instruction.params:
            if isinstance(value, QuantumCircuit):
                if _has_expressions(value):
                    return True
            elif isinstance(value, ParameterExpression) and not isinstance(value, Parameter):
                return True
    return False


def _listing(names: list[str]) -> str:
    return ", ".join(map(brief, names[:_SHOWN_NAMES])) + (", …" if len(names) > _SHOWN_NAMES else "")
