"""Counts the outcomes of small circuits on a state of Aer's, where Aer's own run counts the same.

Of a run of a few qubits Aer spends nearly all in writing each shot down as a text. The states that it keeps for its
``quantum_info`` draw the same outcomes from the same seed, and count them as numbers.

That class is internal to Aer, so that nothing is taken for granted of it. The first circuits run both ways, and for
each gate in them one whose outcomes are sure to depend on it. A gate is trusted once all counts were equal, and after
one difference nothing is, in this process. What a run tells of itself is what Aer told of a circuit of that size, but
for the times, which are measured here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Gate
from qiskit.result.models import ExperimentResult

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.seeds import signed_seed
from aerjob_cli.engines.aer_simulators import simulator_of
from aerjob_cli.engines.experiment_results import experiment_result
from aerjob_cli.engines.survey import is_clifford

# Aer samples a wider state in another way (its option ``statevector_sample_measure_opt``).
_QUBITS = 9
# Gates times amplitudes: beyond it the state takes the time, and not the shots.
_STEPS = 50_000
# Aer writes wider values in another way.
_BITS = 63
# The outcomes are in memory before they are counted, as in a run.
_SHOTS = 1_000_000
# With any other option a run may be another one than that of a state as it comes.
_OPTIONS = frozenset({"shots", "memory", "max_parallel_threads", "max_memory_mb"})
_TIMES = ("time_taken", "sample_measure_time")

# A tableau of Aer's takes no matrices, and these gates by name: some with a qubit, others with a list of them.
_ONE_QUBIT = frozenset({"h", "x", "y", "z"})
_TWO_QUBITS = frozenset({"cx", "cy", "cz"})
# Qiskit and Aer add up its four angles in another order, which shows where they are large.
_NO_MATRIX = frozenset({"cu"})
# How circuits are run that show what a gate does.
_PROBED_SHOTS = 200
_PROBED = {"shots": _PROBED_SHOTS, "seed_simulator": 11, "max_parallel_threads": 1}

_Apply = Callable[[Any], None]
_Size = tuple[str, int, int, int]


@dataclass(frozen=True)
class _Plain:
    """A circuit of gates, and then of a measurement of each qubit, as it is applied to a state of ``method``."""

    method: str
    gates: list[_Apply]
    # Each kind of gate once, by the method and its name.
    kinds: dict[tuple[str, str], CircuitInstruction]
    # The classical bit that each qubit is written to.
    bits: list[int]


class Counting:
    """What one process has found out about Aer's two ways."""

    def __init__(self) -> None:
        self._states: dict[str, Any] = {}
        self._is_wrong = False
        self._trusted: set[tuple[str, str]] = set()
        self._told: dict[_Size, Mapping[str, Any]] = {}

    def experiment(
        self, circuit: QuantumCircuit, spec: JobSpec, seed: int, options: Mapping[str, Any]
    ) -> ExperimentResult | None:
        """Run a circuit with ``seed`` as Aer would; None where it has not been seen that this is the same."""
        began_s = time.perf_counter()
        plain = None if self._is_wrong or not self._told else _plain(circuit, spec, options)
        if plain is None or not plain.kinds.keys() <= self._trusted:
            return None
        told = self._told.get(_size(plain, circuit, spec))
        if told is None:
            return None
        try:
            counts, sampling_s = self._counts(circuit, plain, spec.shots, seed)
        except Exception:  # noqa: BLE001 - Aer's run will say whether it is the circuit's fault
            self._is_wrong = True
            return None
        took_s = time.perf_counter() - began_s
        metadata = {**told, "time_taken": took_s, "sample_measure_time": sampling_s}
        about = {"metadata": metadata, "time_taken": took_s}
        return experiment_result(circuit, spec, seed % 2**64, counts=counts, about=about)

    def learn(
        self, circuit: QuantumCircuit, spec: JobSpec, options: Mapping[str, Any], experiment: ExperimentResult
    ) -> None:
        """Compare what Aer's run gave for a circuit, where there is something to be learned of it."""
        plain = None if self._is_wrong else _plain(circuit, spec, options)
        if plain is None:
            return
        size = _size(plain, circuit, spec)
        if size in self._told and plain.kinds.keys() <= self._trusted:
            return
        new = [instruction for kind, instruction in plain.kinds.items() if kind not in self._trusted]
        try:
            are_equal = self._is_as(circuit, plain, spec.shots, experiment) and self._probe(new, plain.method)
        except Exception:  # noqa: BLE001 - of a class that is internal to another library anything may have changed
            are_equal = False
        self._is_wrong = not are_equal
        if are_equal:
            self._trusted |= plain.kinds.keys()
            metadata = experiment.metadata
            self._told[size] = {name: metadata[name] for name in metadata if name not in _TIMES}

    def _probe(self, new: Sequence[CircuitInstruction], method: str) -> bool:
        """Tell whether gates are the same both ways where they are sure to be seen, which a circuit need not show."""
        if not new:
            return True
        probes = [_probing(instruction, method) for instruction in new]
        result = simulator_of(method).run(probes, **_PROBED).result()
        read = [_read(probe, method) for probe in probes]
        return len(result.results) == len(probes) and all(
            plain is not None and self._is_as(probe, plain, _PROBED_SHOTS, experiment)
            for probe, plain, experiment in zip(probes, read, result.results, strict=True)
        )

    def _is_as(self, circuit: QuantumCircuit, plain: _Plain, shots: int, experiment: ExperimentResult) -> bool:
        """Tell whether the outcomes are those of Aer's run."""
        counts, _ = self._counts(circuit, plain, shots, int(experiment.seed_simulator))
        ours = {hex(value): number for value, number in counts.items()}
        method = experiment.metadata.get("method")
        return bool(ours == experiment.data.to_dict().get("counts") and method == plain.method)

    def _counts(self, circuit: QuantumCircuit, plain: _Plain, shots: int, seed: int) -> tuple[dict[int, int], float]:
        """Give the shots for each value of the classical bits, and the seconds that drawing them took."""
        state = self._states.get(plain.method)
        if state is None:
            state = self._states[plain.method] = _new_state(plain.method)
        state.clear()
        state.allocate_qubits(circuit.num_qubits)
        state.initialize()
        state.set_seed(signed_seed(seed))
        for apply in plain.gates:
            apply(state)
        state.flush()
        began_s = time.perf_counter()
        qubits = list(range(circuit.num_qubits))
        # In this order, as Aer has it: measured in another one a tableau draws other outcomes.
        counts = state.sample_counts(qubits, shots)
        sampling_s = time.perf_counter() - began_s
        if plain.bits != qubits:
            counts = {_moved(value, plain.bits): number for value, number in counts.items()}
        return counts, sampling_s


def _new_state(method: str) -> Any:
    # Here, since a version of Aer without it has all that is needed otherwise.
    from qiskit_aer.backends.controller_wrappers import AerStateWrapper

    state = AerStateWrapper()
    state.configure("method", method)
    state.configure("parallel_state_update", "1")
    return state


def _probing(instruction: CircuitInstruction, method: str) -> QuantumCircuit:
    """Make a circuit whose outcomes depend on a gate, wherever they would not in another one."""
    angles = (0.4 + 0.3 * place for place in range(len(instruction.params)))
    gate = instruction.operation.base_class(*angles)
    return _between_bell_pairs(gate) if method == "stabilizer" else _between_rotations(gate)


def _between_bell_pairs(gate: Gate) -> QuantumCircuit:
    """Measure a Clifford gate's Choi state in the Bell basis, where each outcome stands for a product of Paulis."""
    circuit = QuantumCircuit(2 * gate.num_qubits)
    halves = [(qubit, gate.num_qubits + qubit) for qubit in range(gate.num_qubits)]
    for near, far in halves:
        circuit.h(near)
        circuit.cx(near, far)
    circuit.append(gate, range(gate.num_qubits))
    for near, far in halves:
        circuit.cx(near, far)
        circuit.h(near)
    circuit.measure_all()
    return circuit


def _between_rotations(gate: Gate) -> QuantumCircuit:
    circuit = QuantumCircuit(gate.num_qubits)
    for qubit in range(gate.num_qubits):
        circuit.u(0.5 + 0.3 * qubit, 0.7, 0.2 * qubit, qubit)
    circuit.append(gate, range(gate.num_qubits))
    for qubit in range(gate.num_qubits):
        circuit.u(0.9, 0.1, 0.4 + 0.3 * qubit, qubit)
    circuit.measure_all()
    return circuit


def _size(plain: _Plain, circuit: QuantumCircuit, spec: JobSpec) -> _Size:
    return plain.method, circuit.num_qubits, circuit.num_clbits, spec.max_memory_mb


def _plain(circuit: QuantumCircuit, spec: JobSpec, options: Mapping[str, Any]) -> _Plain | None:
    """Read a circuit; None where Aer might do anything else than to apply all gates and to draw the shots."""
    if spec.memory or spec.threads != 1 or spec.shots > _SHOTS or options.keys() != _OPTIONS:
        return None
    # A state of no qubits ends the process.
    if not 0 < circuit.num_qubits <= _QUBITS or circuit.num_clbits > _BITS:
        return None
    if len(circuit.data) * 2**circuit.num_qubits > _STEPS:
        return None
    method = _method(circuit, spec)
    return None if method is None else _read(circuit, method)


def _read(circuit: QuantumCircuit, method: str) -> _Plain | None:
    """Read a circuit of gates, and then of a measurement of each qubit; None where it is another one."""
    reading = _by_matrix if method == "statevector" else _by_name
    places = {qubit: place for place, qubit in enumerate(circuit.qubits)}
    gates: list[_Apply] = []
    kinds: dict[tuple[str, str], CircuitInstruction] = {}
    measured: dict[int, int] = {}
    for instruction in circuit.data:
        name = instruction.name
        qubits = [places[qubit] for qubit in instruction.qubits]
        if name == "measure":
            if qubits[0] in measured:
                return None
            measured[qubits[0]] = circuit.find_bit(instruction.clbits[0]).index
        elif name != "barrier":
            gate = None if measured else reading(instruction, qubits)
            if gate is None:
                return None
            gates.append(gate)
            kinds.setdefault((method, name), instruction)
    # Aer leaves out of its state what no outcome depends on.
    if len(measured) != circuit.num_qubits or len(set(measured.values())) != len(measured):
        return None
    return _Plain(method, gates, kinds, [measured[qubit] for qubit in range(circuit.num_qubits)])


def _method(circuit: QuantumCircuit, spec: JobSpec) -> str | None:
    """Give the method of a small circuit without noise, if it is one whose outcomes are counted here."""
    if spec.method == "automatic":
        only_clifford = all(is_clifford(instruction.name, instruction.params) for instruction in circuit.data)
        return "stabilizer" if only_clifford else "statevector"
    return spec.method if spec.method in ("statevector", "stabilizer") else None


def _by_matrix(instruction: CircuitInstruction, qubits: list[int]) -> _Apply | None:
    has_matrix = instruction.is_standard_gate() and instruction.name not in _NO_MATRIX
    matrix = instruction.matrix if has_matrix else None
    return None if matrix is None else lambda state: state.apply_unitary(qubits, matrix)


def _by_name(instruction: CircuitInstruction, qubits: list[int]) -> _Apply | None:
    name = instruction.name
    if not instruction.is_standard_gate():
        return None
    if name in _ONE_QUBIT:
        return lambda state: getattr(state, f"apply_{name}")(*qubits)
    return (lambda state: getattr(state, f"apply_{name}")(qubits)) if name in _TWO_QUBITS else None


def _moved(value: int, bits: list[int]) -> int:
    """Give the number whose bit ``bits[i]`` is bit i of ``value``."""
    return sum((value >> place & 1) << bit for place, bit in enumerate(bits))
