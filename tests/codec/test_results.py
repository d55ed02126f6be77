"""Results there and back, compared with what Aer gave."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.result import Result
from qiskit.result.models import ExperimentResult
from qiskit_aer import AerSimulator

from aerjob_cli.codec.results import ResultNotStorable, decode_experiment, encode_experiment, to_result


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


def restored(result: Result) -> Result:
    experiments = [decode_experiment(encode_experiment(experiment)) for experiment in result.results]
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


def test_the_bytes_are_plain_json() -> None:
    content = json.loads(encode_experiment(aer_result().results[0]))
    assert content["data"]["counts"] == aer_result().results[0].data.counts
    assert content["meas_level"] == 2


def test_arrays_and_what_json_would_change_are_refused() -> None:
    circuit = QuantumCircuit(1)
    circuit.save_statevector()
    with pytest.raises(ResultNotStorable, match="statevector"):
        encode_experiment(AerSimulator().run(circuit).result().results[0])
    for value in ((1, 2), np.float64(0.5), {3: 4}, float("nan")):
        odd = aer_result().results[0]
        odd.header["metadata"] = {"key": value}
        with pytest.raises(ResultNotStorable, match="JSON"):
            encode_experiment(odd)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"data": 1}', b"\xff"])
def test_bytes_that_are_no_result_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_experiment(data)
