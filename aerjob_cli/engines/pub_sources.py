"""The PUB of each experiment of a program: brought by Python, or made of the circuits of files and their sweep."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from qiskit import QuantumCircuit
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.observables import Estimation
from aerjob_cli.codec.program import Program
from aerjob_cli.codec.pubs import observables_of
from aerjob_cli.engines.checks import check_numbers
from aerjob_cli.engines.experiments import Experiments
from aerjob_cli.engines.survey import survey
from aerjob_cli.errors import CircuitRefused, brief

if TYPE_CHECKING:
    from aerjob_cli.codec.pubs import Pub

_Making = Callable[[QuantumCircuit, BindingsArray], "Pub"]


class PubSource(ABC):
    """The PUBs of a job, by the number of the experiment."""

    @abstractmethod
    def pub(self, index: int) -> Pub:
        """Give the PUB of an experiment."""

    @abstractmethod
    def circuits_before(self, index: int) -> int:
        """Count the circuits of all PUBs before that one, each set of parameter values by itself."""

    @abstractmethod
    def to_check(self) -> Iterator[tuple[int, Pub]]:
        """Give the PUBs that must be looked at, so that all are known to be good; raises ``CircuitRefused``."""


class BroughtPubs(PubSource):
    """PUBs that Python has handed in."""

    def __init__(self, pubs: Sequence[Pub]) -> None:
        self._pubs = pubs
        self._before: list[int] = list(accumulate((pub.parameter_values.size for pub in pubs), initial=0))

    def pub(self, index: int) -> Pub:
        return self._pubs[index]

    def circuits_before(self, index: int) -> int:
        return self._before[index]

    def to_check(self) -> Iterator[tuple[int, Pub]]:
        yield from enumerate(self._pubs)


class FilePubs(PubSource):
    """A PUB for each circuit of files and each point of its sweep; ``make`` makes one of a circuit and its values."""

    def __init__(self, circuits: Sequence[QuantumCircuit], program: Program, make: _Making) -> None:
        self._circuits = circuits
        self._sweep = program.sweep
        self._make = make
        self._starts = list(accumulate((len(self._sweep.of(at).points) for at in range(len(circuits))), initial=0))

    def pub(self, index: int) -> Pub:
        place = bisect_right(self._starts, index) - 1
        circuit, table = self._circuits[place], self._sweep.of(place)
        its = {parameter.name for parameter in circuit.parameters}
        point = table.points[index - self._starts[place]]
        values = {(name,): [value] for name, value in zip(table.names, point, strict=True) if name in its}
        return self._make(circuit, BindingsArray(values, shape=()))

    def circuits_before(self, index: int) -> int:
        return index

    def to_check(self) -> Iterator[tuple[int, Pub]]:
        experiments = Experiments(self._circuits, self._sweep, lambda circuit: circuit)
        experiments.check_names()
        for place in range(len(self._circuits)):
            for circuit in (experiments.first_of(place), *experiments.others_of(place)):
                check_numbers(circuit, survey(circuit))
            yield self._starts[place], self.pub(self._starts[place])


def sampler_pubs(program: Program, spec: JobSpec) -> PubSource:
    """Give a sampler's PUBs; raises ``CircuitRefused`` for those of an estimator, and for observables."""
    if program.estimation is not None or not all(isinstance(pub, SamplerPub) for pub in program.pubs):
        raise CircuitRefused("there are observables, and a sampler has no use for them; use the estimator")
    if program.pubs:
        return BroughtPubs(program.pubs)
    return FilePubs(program.circuits, program, lambda *parts: SamplerPub(*parts, spec.shots, validate=False))


def estimator_pubs(program: Program) -> PubSource:
    """Give an estimator's PUBs; raises ``CircuitRefused`` where there are no observables, or of another width.

    A circuit of a file is estimated without the measurements at its end: the observables say what is measured.
    """
    if not all(isinstance(pub, EstimatorPub) for pub in program.pubs):
        raise CircuitRefused("there are no observables, and an estimator needs some; use the sampler")
    if program.pubs:
        return BroughtPubs(program.pubs)
    if program.estimation is None:
        raise CircuitRefused("there are no observables, and an estimator needs some; add --observable")
    return _estimated(program, program.estimation)


def without_final_measurements(circuit: QuantumCircuit) -> QuantumCircuit:
    """Give the circuit without what it measures at its end, or itself where that is nothing."""
    if not _measurements(circuit):
        return circuit  # looking for some goes through a second form of the circuit
    shorter = circuit.remove_final_measurements(inplace=False)
    return circuit if _measurements(shorter) == _measurements(circuit) else shorter


def _measurements(circuit: QuantumCircuit) -> int:
    return int(circuit.count_ops().get("measure", 0))


def _estimated(program: Program, estimation: Estimation) -> FilePubs:
    for circuit in program.circuits:
        if circuit.num_qubits != estimation.num_qubits:
            raise CircuitRefused(
                f"circuit {brief(circuit.name)} has {circuit.num_qubits} qubits, and the observable "
                f"{brief(estimation.terms[0][0])} has not as many letters; write one for each qubit, the first qubit's "
                "last"
            )
    try:
        observables = observables_of([estimation.terms], ())
    except ValueError as error:
        raise CircuitRefused(f"the observables are none ({error}); use larger coefficients") from error
    states = [without_final_measurements(circuit) for circuit in program.circuits]
    precision = estimation.precision
    return FilePubs(
        states,
        program,
        lambda circuit, values: EstimatorPub(circuit, observables, values, precision, validate=False),
    )
