"""Noise models: there and back, and run as Aer runs them; what would do nothing is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Kraus
from qiskit_aer import AerSimulator
from qiskit_aer.noise import (
    NoiseModel,
    PauliLindbladError,
    ReadoutError,
    amplitude_damping_error,
    depolarizing_error,
    thermal_relaxation_error,
)

from aerjob_cli.api.run_inputs import device_of
from aerjob_cli.codec import noise_models
from aerjob_cli.codec.envelope import NOISE_FILE, NOISE_TEXT
from aerjob_cli.codec.noise_models import Surroundings
from aerjob_cli.codec.program import Program, decode_program
from aerjob_cli.engines.aer import AerEngine
from aerjob_cli.errors import CircuitRefused
from tests.engines.conftest import MakeSpec


def bell(gate: str = "cx") -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name="bell")
    circuit.h(0)
    getattr(circuit, gate)(0, 1)
    circuit.delay(100, 1, unit="ns")
    circuit.measure([0, 1], [0, 1])
    return circuit


def many_errors() -> NoiseModel:
    model = NoiseModel(["h", "cx", "id"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.1, 1), ["h", "x"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.15, 2), ["cx"])
    model.add_quantum_error(amplitude_damping_error(0.3), ["h"], [0])
    model.add_quantum_error(thermal_relaxation_error(50, 30, 10), ["id"], [1])
    kraus = Kraus([np.sqrt(0.7) * np.eye(2), np.sqrt(0.3) * np.array([[0, 1], [1, 0]])])
    model.add_quantum_error(depolarizing_error(0.1, 1).compose(depolarizing_error(0.01, 1)), ["x"], [1])
    model.add_quantum_error(Kraus(kraus).tensor(Kraus(np.eye(2))), ["cz"], [0, 1])
    model.add_quantum_error(PauliLindbladError(["XX", "ZI"], [0.1, 0.02]), ["cx"], [1, 0])
    model.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.2, 0.8]]))
    model.add_readout_error(ReadoutError([[0.7, 0.3], [0.05, 0.95]]), [1])
    return model


def device() -> GenericBackendV2:
    return GenericBackendV2(4, coupling_map=[[0, 1], [1, 0], [1, 2], [2, 1], [2, 3], [3, 2]], seed=7)


def counts(program: Program, make_spec: MakeSpec, **changes: Any) -> list[dict[str, int]]:
    spec = make_spec(backend="aer_simulator", shots=400, **changes)
    AerEngine().check(program, spec)
    runs = AerEngine().run(program, spec, [(0, program.experiments_total)])
    return [run.result.data.counts for chunk in runs for run in chunk]


@pytest.mark.parametrize("model", [many_errors(), NoiseModel.from_backend(device())], ids=["many", "device"])
def test_a_stored_noise_model_gives_what_the_model_gives(make_spec: MakeSpec, model: NoiseModel) -> None:
    stored = noise_models.decode(noise_models.encode(Surroundings(model)), "noise")
    assert stored.noise_model == model
    assert stored.noise_model.basis_gates == model.basis_gates
    assert stored.noise_model.noise_instructions == model.noise_instructions
    assert stored.noise_model.noise_qubits == model.noise_qubits
    circuits = [transpile(bell(), basis_gates=[*model.basis_gates, "delay"], optimization_level=0), bell()]
    expected = (
        AerSimulator().run(circuits, noise_model=model, shots=400, seed_simulator=5, max_parallel_threads=1).result()
    )
    ours = counts(Program(circuits, stored), make_spec)
    assert ours == [experiment.data.counts for experiment in expected.results]


def test_the_same_model_has_the_same_bytes() -> None:
    model = many_errors()
    assert noise_models.encode(Surroundings(model)) == noise_models.encode(Surroundings(model))


def test_a_device_gives_its_gates_its_couplings_and_its_noise(make_spec: MakeSpec) -> None:
    surroundings = noise_models.decode(noise_models.encode(device_of(device())), "device")
    far = QuantumCircuit(4, 2, name="far")
    far.h(0)
    far.cx(0, 3)
    far.measure([0, 3], [0, 1])
    (found,) = counts(Program([far], surroundings), make_spec)
    simulator = AerSimulator.from_backend(device())
    ready = transpile(far, simulator, optimization_level=0, seed_transpiler=0)
    expected = simulator.run(ready, shots=400, seed_simulator=5, max_parallel_threads=1).result()
    assert sum(found.values()) == 400
    assert ready.count_ops()["cx"] > 1, "it takes swaps to get there"
    assert abs(found["0x0"] - expected.get_counts()["00"]) < 80
    native = transpile(far, device(), optimization_level=0, seed_transpiler=1)
    assert counts(Program([native], surroundings), make_spec) == [
        simulator.run(native, shots=400, seed_simulator=5, max_parallel_threads=1).result().data(0)["counts"]
    ], "what fits the device is run as it is"


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("depolarizing:p2=0.5", 100, 280), ("depolarizing:readout=0.5", 150, 250), ("depolarizing:p1=0.001", 0, 0)],
)
def test_noise_of_a_text_is_felt(make_spec: MakeSpec, text: str, low: int, high: int) -> None:
    program = decode_program([(NOISE_TEXT, text.encode(), "noise")])
    (found,) = counts(Program([bell()], program.surroundings), make_spec)
    odd = sum(found.get(outcome, 0) for outcome in ("0x1", "0x2"))
    assert low <= odd <= high


def test_gates_on_three_qubits_are_translated_under_the_noise_of_a_text(make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(3, 1)
    circuit.x([0, 1])
    circuit.ccx(0, 1, 2)
    circuit.measure(2, 0)
    surroundings = decode_program([(NOISE_TEXT, b"depolarizing:p2=0.3", "noise")]).surroundings
    (found,) = counts(Program([circuit], surroundings), make_spec)
    assert 20 < found["0x0"] < 300


def test_a_model_in_a_file_is_that_of_aer(make_spec: MakeSpec) -> None:
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.2, 1), ["sx", "x"])
    model.add_quantum_error(amplitude_damping_error(0.3), ["x"], [1])
    model.add_quantum_error(Kraus(np.eye(2)).expand(Kraus(amplitude_damping_error(0.2))), ["cx"], [0, 1])
    model.add_readout_error(ReadoutError([[0.9, 0.1], [0.2, 0.8]]), [0])
    data = json.dumps(model.to_dict(serializable=True)).encode()
    read = decode_program([(NOISE_FILE, data, "noise.json")]).surroundings
    assert read is not None
    assert read.noise_model == model
    circuit = transpile(bell("cz"), basis_gates=model.basis_gates, optimization_level=0)
    expected = AerSimulator().run(circuit, noise_model=model, shots=400, seed_simulator=5, max_parallel_threads=1)
    assert counts(Program([circuit], read), make_spec) == [expected.result().data(0)["counts"]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "noise.json is empty"),
        (b"\xff", "is not UTF-8 text"),
        (b"{", "is not JSON at line 1, column 2"),
        (b"[]", "holds no list of errors"),
        (b'{"errors": []}', "holds no list of errors"),
        (b'{"errors": [{"type": "qerror"}]}', "error 0 of noise.json cannot be used"),
        (b'{"errors": [{"type": "magic"}]}', "type 'magic' is not known"),
        (b'{"errors": [{"type": "roerror", "probabilities": [[0.5, 0.6], [0, 1]]}]}', "is not 1"),
        (
            b'{"errors": [{"type": "qerror", "operations": ["x"], "probabilities": [1], '
            b'"instructions": [[{"name": "measure", "qubits": [0]}]]}]}',
            "'measure' is no gate that can stand in an error",
        ),
        (
            b'{"errors": [{"type": "qerror", "operations": ["x"], "probabilities": [1], '
            b'"instructions": [[{"name": "x", "qubits": [40]}]]}]}',
            "8 are the most",
        ),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_noise_model_is_refused_with_the_place(content: bytes, words: str) -> None:
    with pytest.raises(CircuitRefused) as caught:
        decode_program([(NOISE_FILE, content, "noise.json")])
    assert words in caught.value.message
    assert "\n" not in caught.value.message


def test_noise_that_nothing_would_feel_is_refused(make_spec: MakeSpec) -> None:
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.1, 2), ["ecr"])
    with pytest.raises(CircuitRefused, match="the noise model is for 'ecr', and the circuits have 'cx', 'h'"):
        counts(Program([bell()], Surroundings(model)), make_spec)
    with pytest.raises(CircuitRefused, match="has no errors"):
        counts(Program([bell()], Surroundings(NoiseModel())), make_spec)
    with pytest.raises(CircuitRefused, match="the method 'unitary' runs without noise"):
        counts(Program([bell()], Surroundings(many_errors())), make_spec, method="unitary")


def test_more_qubits_than_the_device_has_are_refused(make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(5, 1)
    circuit.measure(0, 0)
    with pytest.raises(CircuitRefused, match="has 5 qubits, and the device has 4"):
        counts(Program([circuit], device_of(device())), make_spec)
