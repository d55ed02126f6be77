"""Making PUBs ready for Aer: circuits that it, the noise or the device cannot run as they are get translated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qiskit import QuantumCircuit
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.program import Program
from aerjob_cli.engines.noise import gates_under
from aerjob_cli.engines.translation import runnable

if TYPE_CHECKING:
    from aerjob_cli.codec.pubs import Pub


class PubTranslation:
    """The translation of a job's PUBs; a circuit that several in a row have is translated once."""

    def __init__(self, program: Program, spec: JobSpec) -> None:
        self.gates = gates_under(program.surroundings, spec.method)
        self._spec = spec
        self._last: tuple[QuantumCircuit, QuantumCircuit] | None = None

    def of(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """Give the circuit as it runs, or itself; raises ``CircuitRefused``."""
        if self._last is None or self._last[0] is not circuit:
            spec = self._spec
            translated = runnable(circuit, self.gates, spec.optimization_level, may_translate=spec.may_translate)
            self._last = circuit, translated
        return self._last[1]

    def ready(self, pub: Pub) -> Pub:
        """Give the PUB with its circuit as it runs, and its observables on the qubits that it has there."""
        circuit = self.of(pub.circuit)
        if circuit is pub.circuit:
            return pub
        if isinstance(pub, SamplerPub):
            return SamplerPub(circuit, pub.parameter_values, pub.shots)
        observables = pub.observables
        if self.gates.target.num_qubits is not None and circuit.layout is not None:
            # A device has places of its own for qubits.
            observables = observables.apply_layout(circuit.layout)
        return EstimatorPub(circuit, observables, pub.parameter_values, pub.precision)
