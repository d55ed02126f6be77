"""QPY: round trips, and what is refused on the way in and out."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Parameter
from qiskit.circuit.library import LinearPauliRotationsGate

from aerjob_cli.codec.circuits import decode_circuits, encode_circuits
from aerjob_cli.codec.envelope import QPY
from aerjob_cli.errors import CircuitRefused


def bell(name: str = "bell", metadata: dict[str, Any] | None = None) -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name=name, metadata=metadata)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def encode_qpy(circuits: list[QuantumCircuit]) -> bytes:
    format, data = encode_circuits(circuits)
    assert format == QPY
    return data


def refusal(data: bytes) -> str:
    with pytest.raises(CircuitRefused) as caught:
        decode_circuits(QPY, data, "job.qpy")
    assert "\n" not in caught.value.message
    return caught.value.message


def test_circuits_names_and_metadata_survive() -> None:
    parameterized = QuantumCircuit(1, name="angle", metadata={"sweep": [1, 2.5, None, True, {"a": "b"}]})
    parameterized.rx(Parameter("θ"), 0)
    circuits = [bell("first", {"k": 1}), parameterized, bell("first")]
    decoded = decode_circuits(QPY, encode_qpy(circuits), "job.qpy")
    assert decoded == circuits
    assert [circuit.name for circuit in decoded] == ["first", "angle", "first"]
    assert [circuit.metadata for circuit in decoded] == [circuit.metadata for circuit in circuits]


@pytest.mark.parametrize("version", range(13, qpy.common.QPY_VERSION + 1))
def test_every_safe_version_is_read(version: int) -> None:
    file = io.BytesIO()
    qpy.dump([bell(), bell()], file, version=version)
    assert decode_circuits(QPY, file.getvalue(), "job.qpy") == [bell(), bell()]


def test_files_that_are_none_are_refused_before_loading() -> None:
    good = encode_qpy([bell()])
    assert "is empty" in refusal(b"")
    assert "not a QPY file" in refusal(b"QISKIT")
    assert "not a QPY file" in refusal(b"OPENQASM 2.0;")
    assert "CVE-2025-2000" in refusal(good[:6] + b"\x0c" + good[7:])
    assert "reads up to" in refusal(good[:6] + b"\xff" + good[7:])
    assert "no circuit" in refusal(encode_qpy([]))


def test_every_truncation_is_refused() -> None:
    good = encode_qpy([bell()])
    for length in range(len(good)):
        refusal(good[:length])


@pytest.mark.parametrize(
    "value", [(1, 2), {1: "a"}, np.float64(0.5), np.int64(1), math.nan, object(), b"x", [{"deep": ("x",)}]]
)
def test_metadata_that_json_would_change_is_refused(value: Any) -> None:
    with pytest.raises(CircuitRefused, match="metadata of circuit 'bell' cannot be stored"):
        encode_qpy([bell(metadata={"key": value})])


def test_a_library_gate_that_cannot_be_read_again_is_refused() -> None:
    circuit = QuantumCircuit(3, name="rotations")
    circuit.append(LinearPauliRotationsGate(2, slope=1.0), [0, 1, 2])
    file = io.BytesIO()
    qpy.dump(circuit, file)
    file.seek(0)
    try:
        qpy.load(file)
    except Exception:  # noqa: BLE001 - whatever this release of Qiskit raises
        with pytest.raises(CircuitRefused, match="cannot read from QPY again"):
            encode_circuits([circuit])
    else:
        encode_circuits([circuit])
