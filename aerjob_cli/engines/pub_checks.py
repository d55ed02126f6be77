"""What is refused of PUBs before any of them runs: Aer's primitives would crash on it, or give what means nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import qiskit_aer  # noqa: F401 - it gives circuits the instruction that saves an expectation value
from qiskit import QuantumCircuit
from qiskit.primitives import DataBin
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import Pauli
from qiskit_aer import AerSimulator

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.option_tables import SHOTS_LIMIT
from aerjob_cli.codec.program import Program
from aerjob_cli.engines.aer import dense_qubits, noise_of, threads_for
from aerjob_cli.engines.checks import check_contents, check_numbers
from aerjob_cli.engines.footprint import footprint, largest
from aerjob_cli.engines.noise import check_fits, check_surroundings
from aerjob_cli.engines.pub_sources import without_final_measurements
from aerjob_cli.engines.pub_translation import PubTranslation
from aerjob_cli.engines.survey import survey
from aerjob_cli.engines.translation import refusal
from aerjob_cli.engines.width import check_width
from aerjob_cli.errors import CircuitRefused, brief

if TYPE_CHECKING:
    from aerjob_cli.codec.pubs import Pub

_PAULIS = frozenset("IXYZ")


class PubChecks:
    """Looks at the PUBs of a job one after the other; a circuit that several have is looked at once.

    ``widest`` is the n of the 2^n numbers that the widest circuit so far is simulated with, ``names`` are the
    instructions of all of them as they run, ``estimated_bytes`` is what the largest takes. Raises ``CircuitRefused``.
    """

    def __init__(self, program: Program, spec: JobSpec, simulator: AerSimulator) -> None:
        self.widest = 0
        self.estimated_bytes: int | None = 0
        self.names: set[str] = set()
        self._program = program
        self._translation = PubTranslation(program, spec)
        self._spec = spec
        self._simulator = simulator
        self._seen: dict[int, QuantumCircuit] = {}

    def look_at(self, index: int, pub: Pub) -> None:
        """Refuse a PUB that cannot run, or not as it was meant; raises ``CircuitRefused``."""
        subject = f"PUB {index} (circuit {brief(pub.circuit.name)})"
        _check_values(pub, subject)
        if isinstance(pub, EstimatorPub):
            _check_observables(pub, subject)
        elif pub.shots is not None and pub.shots > SHOTS_LIMIT:
            raise CircuitRefused(f"{subject} has {pub.shots} shots; {SHOTS_LIMIT} are the most")
        if id(pub.circuit) not in self._seen:
            self._seen[id(pub.circuit)] = pub.circuit  # kept, so that no other circuit gets its id
            self._look_at_circuit(pub, subject)

    def _look_at_circuit(self, pub: Pub, subject: str) -> None:
        circuit, spec = pub.circuit, self._spec
        findings = survey(circuit)
        if isinstance(pub, EstimatorPub):
            # The observables say what is measured.
            spec = replace(spec, counts_required=False)
            _check_measurements(circuit, subject)
        else:
            _check_registers(circuit, subject)
        check_contents(circuit, findings, spec, may_have_parameters=pub.parameter_values.num_parameters > 0)
        if self._program.surroundings is not None:
            check_surroundings(self._program.surroundings, spec)
            check_fits(circuit, self._program.surroundings)
        translated = self._translation.of(circuit)
        if translated is not circuit:
            findings = survey(translated)
            check_numbers(translated, findings)
            if set(translated.parameters) != set(circuit.parameters):
                raise CircuitRefused(
                    f"{subject} loses parameters when it is translated; transpile it, and leave them out of the PUB"
                )
        self.names |= findings.names
        prepared = pub.parameter_values.ravel()[0].bind(translated, ())
        if spec.method == "stabilizer" and not survey(prepared).is_clifford:
            raise refusal(prepared, self._translation.gates, lambda part: survey(part).is_clifford)
        if isinstance(pub, EstimatorPub):
            # So does Aer's estimator: whatever the observables are, the value is that of all qubits.
            findings.active.update(translated.qubits)
        if self._program.surroundings is not None and spec.method == "automatic":
            findings.is_clifford = False  # the noise decides as well, and only Aer knows how
        as_run = _estimated if isinstance(pub, EstimatorPub) else None
        way = check_width(prepared, findings, spec, self._simulator, noise_of(self._program), as_run=as_run)
        dense = dense_qubits(findings, spec)
        self.widest = max(self.widest, dense)
        needed = footprint(prepared, spec, way, threads=threads_for(dense), is_noisy=bool(noise_of(self._program)))
        self.estimated_bytes = largest(self.estimated_bytes, needed)


def _estimated(circuit: QuantumCircuit) -> QuantumCircuit:
    circuit.save_expectation_value(Pauli("Z" * circuit.num_qubits), range(circuit.num_qubits))
    return circuit


def _check_values(pub: Pub, subject: str) -> None:
    if pub.size == 0:
        raise CircuitRefused(f"{subject} is of the shape {pub.shape}, so that there is nothing to run; leave it out")
    values = pub.parameter_values
    if values.shape and not values.num_parameters:
        # Aer would run it once, and take zeros for all but the first.
        raise CircuitRefused(f"{subject} has values of the shape {values.shape} for no parameter; leave them out")
    if not all(np.isfinite(array).all() for array in values.data.values()):
        raise CircuitRefused(f"{subject} has a parameter value that is not a finite number; correct it")


def _check_observables(pub: EstimatorPub, subject: str) -> None:
    if pub.precision is not None and not np.isfinite(pub.precision):
        raise CircuitRefused(f"{subject} has the precision {pub.precision}; it must be a finite number from 0 on")
    for terms in pub.observables.ravel().tolist():
        if not np.isfinite(list(terms.values())).all():
            raise CircuitRefused(f"{subject} has an observable with a coefficient that is not a finite number")
        other = set().union(*terms) - _PAULIS
        if other:
            raise CircuitRefused(
                f"{subject} has an observable with {brief(min(other))}, and Aer knows Paulis only; "
                "write it as a sum of these (SparseObservable.as_paulis)"
            )


def _check_measurements(circuit: QuantumCircuit, subject: str) -> None:
    if without_final_measurements(circuit) is not circuit:
        raise CircuitRefused(
            f"{subject} measures at its end, where an estimator needs the state before; take that out with "
            "remove_final_measurements()"
        )


def _check_registers(circuit: QuantumCircuit, subject: str) -> None:
    for register in circuit.cregs:
        places = [circuit.find_bit(bit).index for bit in register]
        if places != list(range(places[0], places[0] + len(places)) if places else []):
            raise CircuitRefused(
                f"{subject} has a classical register {brief(register.name)} whose bits are not next to one another, "
                "which Aer's sampler would mix up; use a register of its own"
            )
        try:
            DataBin(shape=(), **{register.name: 0})
        except (TypeError, ValueError):
            raise CircuitRefused(
                f"{subject} has a classical register {brief(register.name)}, a name that results have for something "
                "else; call it otherwise"
            ) from None
