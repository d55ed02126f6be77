"""Circuits with Aer's own instructions: through the store's bytes and the engine they give what Aer gives at once."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, transpile
from qiskit.result.models import ExperimentResult
from qiskit_aer import AerSimulator

from aerjob_cli.codec.arrays import decode_npy, encode_npy
from aerjob_cli.codec.circuits import decode_circuits, encode_circuits
from aerjob_cli.codec.envelope import CIRCUIT_BUNDLE
from aerjob_cli.codec.program import decode_program
from aerjob_cli.codec.results import encode_experiment, restore_experiment
from aerjob_cli.codec.seeds import seed_after
from aerjob_cli.engines.aer import AerEngine
from aerjob_cli.engines.base import SimulationFailed
from aerjob_cli.errors import CircuitRefused
from tests.engines.conftest import MakeSpec
from tests.support.aer_circuits import aer_circuits, every_instruction
from tests.support.matrix import Matrix
from tests.support.values import same

_SHOTS = 6


def lasting(experiment: dict[str, Any]) -> dict[str, Any]:
    """Give what DESIGN means by an equal result: all but times and what tells of threads."""
    return {name: experiment[name] for name in ("data", "shots", "seed_simulator", "header", "status", "success")}


def by_aer(circuits: list[QuantumCircuit], method: str) -> list[ExperimentResult]:
    """Run each circuit by itself: in one call the quantum errors of one circuit may change another one's method."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        simulator = AerSimulator(method=method)
        return [
            simulator.run(
                circuit, shots=_SHOTS, seed_simulator=seed_after(5, index), memory=True, max_parallel_threads=1
            )
            .result()
            .results[0]
            for index, circuit in enumerate(circuits)
        ]


def restored(experiment: ExperimentResult) -> dict[str, Any]:
    encoded = encode_experiment(experiment)
    arrays = {name: decode_npy(encode_npy(array)) for name, array in encoded.arrays}
    return restore_experiment(encoded.format, encoded.data, arrays)


def translated(circuit: QuantumCircuit) -> QuantumCircuit:
    """Give the circuit itself, or what a user would run in Aer who has an instruction in it that Aer does not know."""
    if "part" not in circuit.count_ops():
        return circuit
    return transpile(circuit, target=AerEngine().target("automatic"), optimization_level=0, seed_transpiler=0)


def test_circuits_of_aers_own_give_what_aer_gives(make_spec: MakeSpec, matrix: Matrix) -> None:
    spec = make_spec(shots=_SHOTS, memory=True, counts_required=False)

    @settings(
        max_examples=matrix.times(sample=60, full=1000),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(aer_circuits(), min_size=1, max_size=2))
    def property_(circuits: list[QuantumCircuit]) -> None:
        note("\n".join(str(circuit) for circuit in circuits))
        expected = by_aer([translated(circuit) for circuit in circuits], "automatic")
        program = decode_program([(*encode_circuits(circuits), "job")])
        found: dict[int, ExperimentResult] = {}
        try:
            AerEngine().check(program, spec)
            for chunk in AerEngine().run(program, spec, [(0, 1), (1, len(circuits))]):
                found |= {run.index: run.result for run in chunk}
        except (SimulationFailed, CircuitRefused):
            assert not all(experiment.success for experiment in expected), "Aer runs it"
        else:
            assert len(found) == len(circuits)
        for index, ours in found.items():
            assert expected[index].success
            assert same(lasting(restored(ours)), lasting(expected[index].to_dict()))

    property_()


@pytest.mark.parametrize("circuit", every_instruction(), ids=lambda circuit: circuit.name)
def test_every_instruction_of_aers_own_survives_its_bytes(make_spec: MakeSpec, circuit: QuantumCircuit) -> None:
    format, data = encode_circuits([circuit])
    assert format == CIRCUIT_BUNDLE
    assert encode_circuits([circuit]) == (format, data), "the same circuits have the same checksum"
    (back,) = decode_circuits(format, data, "job")
    assert [type(item.operation) for item in back.data] == [type(item.operation) for item in circuit.data]
    for ours, given_ in zip(back.data, circuit.data, strict=True):
        assert same(list(ours.operation.params), list(given_.operation.params))
        assert ours.operation.label == given_.operation.label
    method = _METHODS.get(circuit.name.partition("_")[2], "automatic")
    (expected,) = by_aer([circuit], method)
    spec = make_spec(backend="aer_simulator", method=method, shots=_SHOTS, memory=True, counts_required=False)
    ((run,),) = AerEngine().run(decode_program([(format, data, "job")]), spec, [(0, 1)])
    assert same(restored(run.result)["data"], expected.data.to_dict())


_METHODS = {
    "density_matrix": "density_matrix",
    "matrix_product_state": "matrix_product_state",
    "stabilizer": "stabilizer",
    "clifford": "stabilizer",
    "superop": "superop",
    "unitary": "unitary",
}
