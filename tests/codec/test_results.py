"""Results there and back, compared with what Aer gave."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.quantum_info import SparsePauliOp
from qiskit.result import Result
from qiskit.result.models import ExperimentResult
from qiskit_aer import AerSimulator

from aerjob_cli.codec.arrays import decode_npy, encode_npy
from aerjob_cli.codec.envelope import EXPERIMENT_RESULT, MARKED_EXPERIMENT_RESULT
from aerjob_cli.codec.results import (
    EncodedExperiment,
    ResultNotStorable,
    decode_experiment,
    encode_experiment,
    restore_experiment,
    to_result,
)
from tests.support.values import same


def circuits() -> list[QuantumCircuit]:
    first = QuantumCircuit(
        QuantumRegister(2, "q"),
        ClassicalRegister(1, "a"),
        ClassicalRegister(2, "b"),
        name="two registers",
        metadata={"sweep": [1, 2.5, None, {"x": "é"}]},
    )
    first.h([0, 1])
    first.measure([0, 1], [0, 2])
    second = QuantumCircuit(1, name="nothing measured")
    second.x(0)
    return [first, second]


def aer_result(*, memory: bool = True) -> Result:
    return AerSimulator().run(circuits(), shots=100, seed_simulator=2**63 - 1, memory=memory).result()


def reread(encoded: EncodedExperiment) -> dict[str, Any]:
    arrays = {name: decode_npy(encode_npy(array)) for name, array in encoded.arrays}
    return restore_experiment(encoded.format, encoded.data, arrays)


def restored(result: Result) -> Result:
    experiments = [reread(encode_experiment(experiment)) for experiment in result.results]
    return to_result(
        experiments,
        job_id="the-job",
        backend_name="qasm_simulator",
        backend_version="0.1.0",
        date="2026-01-01T00:00:00+00:00",
    )


def lasting(experiment: ExperimentResult) -> dict[str, Any]:
    content: dict[str, Any] = experiment.to_dict()
    del content["metadata"], content["time_taken"]
    return content


@pytest.mark.parametrize("memory", [True, False])
def test_a_restored_result_equals_the_simulators(memory: bool) -> None:
    given = aer_result(memory=memory)
    back = restored(given)
    for ours, theirs in zip(back.results, given.results, strict=True):
        assert {**ours.to_dict(), "metadata": None} == {**lasting(theirs), "metadata": None}
        assert type(ours.meas_level) is type(theirs.meas_level)
        assert ours.seed_simulator == theirs.seed_simulator
        assert ours.metadata.items() <= theirs.metadata.items()
    assert back.results[0].header["metadata"] == {"sweep": [1, 2.5, None, {"x": "é"}]}
    assert back.get_counts(circuits()[0]) == given.get_counts(circuits()[0])
    assert ("memory" in given.data(0)) is memory
    if memory:
        assert back.get_memory(0) == given.get_memory(0)


def test_the_frame_of_a_restored_result() -> None:
    back = restored(aer_result())
    assert (back.success, back.status) == (True, "COMPLETED")
    assert (back.job_id, back.backend_name, back.backend_version) == ("the-job", "qasm_simulator", "0.1.0")
    assert back.date == "2026-01-01T00:00:00+00:00"
    assert len(back.results) == 2


def test_equal_experiments_have_equal_bytes_whatever_their_batch() -> None:
    wide = QuantumCircuit(3, 7)
    wide.measure(0, 6)
    together = AerSimulator().run([circuits()[0], wide], shots=50, seed_simulator=1).result().results[0]
    alone = AerSimulator().run(circuits()[0], shots=50, seed_simulator=1, max_parallel_threads=1).result().results[0]
    assert encode_experiment(together) == encode_experiment(alone)
    assert encode_experiment(together).format == EXPERIMENT_RESULT


def test_no_time_is_kept_wherever_aer_says_it() -> None:
    circuit = QuantumCircuit(15)
    for qubit in range(15):
        circuit.rx(0.1, qubit)
        circuit.cx(qubit, (qubit + 1) % 15)
    circuit.measure_all()
    experiment = AerSimulator().run(circuit, shots=10, seed_simulator=1, max_parallel_threads=1).result().results[0]
    assert experiment.metadata["fusion"]["time_taken"] > 0, "fused circuits say how long that took"
    content = encode_experiment(experiment).data
    assert b"time_taken" not in content
    assert b"parallel" not in content
    assert json.loads(content)["metadata"]["fusion"]["applied"] is True


def test_the_bytes_are_plain_json() -> None:
    content = json.loads(encode_experiment(aer_result().results[0]).data)
    assert content["data"]["counts"] == aer_result().results[0].data.counts
    assert content["meas_level"] == 2


def saving(circuit: QuantumCircuit) -> QuantumCircuit:
    circuit.save_statevector(pershot=True)
    circuit.save_statevector(label="$conditional", conditional=True)
    circuit.save_density_matrix(label="one", qubits=[0])
    circuit.save_probabilities(label="p")
    circuit.save_probabilities_dict(label="pd")
    circuit.save_amplitudes([0, 1], label="amplitudes")
    circuit.save_statevector_dict(label="sd")
    circuit.save_expectation_value(SparsePauliOp("ZZ"), [0, 1], label="ev")
    circuit.save_expectation_value_variance(SparsePauliOp("ZZ"), [0, 1], label="evv")
    return circuit


def test_whatever_aer_saves_comes_back_to_the_bit() -> None:
    circuit = QuantumCircuit(2, 1, name="saves", metadata={"$npy": "p", "$$x": {"$tuple": [1]}})
    circuit.h(0)
    circuit.measure(0, 0)
    given = AerSimulator(method="statevector").run(saving(circuit), shots=5, seed_simulator=3).result()
    back = restored(given)
    assert encode_experiment(given.results[0]).format == MARKED_EXPERIMENT_RESULT
    assert back.results[0].header == given.results[0].header
    assert same(back.data(0), given.data(0))
    assert back.get_counts() == given.get_counts()


def test_the_json_of_a_result_with_arrays_is_read_without_them() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.save_statevector()
    encoded = encode_experiment(AerSimulator().run(circuit, shots=5, seed_simulator=3).result().results[0])
    content = decode_experiment(encoded.data)
    assert sum(content["data"]["counts"].values()) == 5
    assert content["data"]["statevector"]["data"] == {"$npy": "statevector"}
    assert [name for name, _ in encoded.arrays] == ["statevector"]
    with pytest.raises(ValueError, match="array 'statevector' is missing"):
        restore_experiment(encoded.format, encoded.data, {})


def test_dollars_of_the_first_format_are_just_dollars() -> None:
    plain = aer_result().results[0]
    plain.header["metadata"] = {"$npy": "x", "$$y": 1}
    encoded = encode_experiment(plain)
    assert encoded.format == EXPERIMENT_RESULT
    assert reread(encoded)["header"]["metadata"] == {"$npy": "x", "$$y": 1}


def test_what_json_would_change_comes_back_or_is_refused() -> None:
    for value in ((1, 2), np.float64(0.5), {3: 4}, 1j, float("inf")):
        odd = aer_result().results[0]
        odd.header["metadata"] = {"key": value}
        back = reread(encode_experiment(odd))["header"]["metadata"]["key"]
        assert (type(back), back) == (type(value), value)
    odd = aer_result().results[0]
    odd.header["metadata"] = {"key": {1, 2}}
    with pytest.raises(ResultNotStorable, match="set"):
        encode_experiment(odd)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="'v9' is not known"):
        restore_experiment("v9", b"{}", {})


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"data": 1}', b"\xff"])
def test_bytes_that_are_no_result_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_experiment(data)
