"""What Qiskit puts on top of backends: the transpiler for each of them, and its own primitives."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, generate_preset_pass_manager, transpile
from qiskit.circuit import Parameter
from qiskit.circuit.library import quantum_volume
from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2, StatevectorEstimator
from qiskit.quantum_info import Operator, SparsePauliOp

from aerjob_cli import BasicAerProvider
from aerjob_cli.api.backend import BasicAerBackend
from aerjob_cli.catalog import SIMULATORS


def rotated() -> QuantumCircuit:
    circuit = QuantumCircuit(2, metadata={"kind": "ansatz"})
    circuit.ry(Parameter("a"), 0)
    circuit.cx(0, 1)
    return circuit


@pytest.mark.parametrize("level", range(4))
@pytest.mark.parametrize("name", [name for name, simulator in SIMULATORS.items() if not simulator.is_primitive])
def test_each_simulator_has_a_target_to_transpile_to(idle: BasicAerProvider, name: str, level: int) -> None:
    backend = idle.get_backend(name)
    volume = quantum_volume(3, 2, seed=1)
    for circuit in (
        transpile(volume, backend, optimization_level=level, seed_transpiler=1),
        generate_preset_pass_manager(level, backend=backend, seed_transpiler=1).run(volume),
    ):
        assert set(circuit.count_ops()) <= set(backend.operation_names)
        assert Operator.from_circuit(circuit).equiv(Operator(volume))


@pytest.mark.parametrize("method", ["stabilizer", "matrix_product_state", "density_matrix"])
def test_the_target_follows_the_method(idle: BasicAerProvider, method: str) -> None:
    backend = idle.get_backend("aer_simulator")
    backend.set_options(method=method)
    circuit = QuantumCircuit(60)
    circuit.h(range(60))
    circuit.iswap(0, 59)
    circuit.measure_all()
    passed = transpile(circuit, backend, optimization_level=1)
    assert set(passed.count_ops()) <= {*backend.operation_names, "barrier"}
    if method != "density_matrix":
        backend.run(passed, transpile=False)


def test_the_sampler_of_qiskit_runs_on_durable_jobs(backend: BasicAerBackend, working: BasicAerProvider) -> None:
    first, second = ClassicalRegister(2, "first"), ClassicalRegister(1, "second")
    circuit = rotated()
    circuit.add_register(first, second)
    circuit.measure([0, 1], first)
    circuit.measure(0, second[0])
    fixed = QuantumCircuit(QuantumRegister(12), ClassicalRegister(12, "wide"))
    fixed.x([0, 11])
    fixed.measure(range(12), range(12))
    sampler = BackendSamplerV2(backend=backend, options={"seed_simulator": 7})
    before = len(working.jobs(limit=None))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = sampler.run([(circuit, [[0.0], [np.pi]], 20), (fixed, None, 20), (fixed, None, 5)]).result()
    data = result[0].data
    assert [data.first.get_counts(index) for index in range(2)] == [{"00": 20}, {"11": 20}]
    assert [data.second.get_counts(index) for index in range(2)] == [{"0": 20}, {"1": 20}]
    assert result[0].metadata["circuit_metadata"] == {"kind": "ansatz"}
    assert [result[index].data.wide.get_counts() for index in (1, 2)] == [{"100000000001": 20}, {"100000000001": 5}]
    assert len(working.jobs(limit=None)) == before + 2, "a job for each number of shots"


def test_the_estimator_of_qiskit_runs_on_durable_jobs(backend: BasicAerBackend) -> None:
    pub = (rotated(), [SparsePauliOp("ZZ"), SparsePauliOp(["XX", "IZ"], [0.5, 1.0])], [[[0.3]], [[1.1]]])
    estimator = BackendEstimatorV2(backend=backend, options={"seed_simulator": 7})
    (estimated,) = estimator.run([pub], precision=0.02).result()
    (exact,) = StatevectorEstimator().run([pub]).result()
    assert estimated.data.evs.shape == exact.data.evs.shape == (2, 2)
    assert np.allclose(estimated.data.evs, exact.data.evs, atol=0.1)
    assert estimated.data.evs[0, 0] == 1.0, "ZZ is sure, whatever the angle"
