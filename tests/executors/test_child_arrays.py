"""Arrays of results from an executor: small ones in the message, large ones as files, and never too much at once."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

from aerjob_cli.codec import envelope
from aerjob_cli.codec.arrays import decode_npy
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.quantum_payload import write as encode_qpy
from aerjob_cli.codec.results import restore_experiment
from aerjob_cli.executors.incoming import write_incoming
from aerjob_cli.executors.messages import CHUNK_BODY_BYTES, CHUNK_FILES
from aerjob_cli.settings import INLINE_LIMIT_BYTES
from tests.executors.child_process import ANSWER_TIMEOUT_S, Child, payload, source, spec
from tests.support.values import same


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    child = Child(tmp_path_factory.mktemp("child") / "stderr")
    yield child
    child.connection.close()
    child.process.wait(timeout=60)


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


def states(**changes: object) -> JobSpec:
    return spec(
        **{"backend": "statevector_simulator", "method": "statevector", "shots": 1, "counts_required": False} | changes
    )


def rotated(qubits: int, index: int = 0) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits, name=f"r{index}")
    circuit.rx(0.1 + index, 0)
    return circuit


def test_a_small_array_is_in_the_message(child: Child, incoming: Path) -> None:
    data = encode_qpy([rotated(3)])
    sources = [source(data, format=envelope.QPY)]
    (chunk,) = child.ask("run", states(), sources, data, missing=[[0, 1]], incoming=str(incoming))
    (outcome,) = chunk.header["experiments"]
    (array,) = outcome["arrays"]
    assert (array["name"], array["format"], array["path"]) == ("statevector", envelope.NPY, None)
    arrays = {array["name"]: decode_npy(payload(array, chunk))}
    content = restore_experiment(outcome["format"], payload(outcome, chunk), arrays)
    saving = rotated(3)
    saving.save_state()
    theirs = AerSimulator(method="statevector").run(saving, shots=1, seed_simulator=5).result()
    assert same(content["data"], theirs.data(0))
    assert list(incoming.iterdir()) == []


def test_a_large_array_is_a_private_file(child: Child, incoming: Path) -> None:
    data = encode_qpy([rotated(15)])
    sources = [source(data, format=envelope.QPY)]
    (chunk,) = child.ask("run", states(), sources, data, missing=[[0, 1]], incoming=str(incoming))
    (outcome,) = chunk.header["experiments"]
    (array,) = outcome["arrays"]
    (file,) = incoming.iterdir()
    assert (array["path"], array["offset"]) == (str(file), None)
    assert array["size_bytes"] == file.stat().st_size == 128 + 16 * 2**15
    assert array["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(chunk.body) == outcome["size_bytes"], "the result itself is small"
    assert np.load(file, allow_pickle=False).shape == (2**15,)


def test_no_message_holds_too_much(child: Child, incoming: Path) -> None:
    # 13 qubits are 128 KiB: 100 of them are more than a message takes; and 15 qubits are files.
    circuits = [rotated(13, index) for index in range(100)] + [rotated(15, index) for index in range(20)]
    data = encode_qpy(circuits)
    sources = [source(data, format=envelope.QPY)]
    chunks = child.ask("run", states(), sources, data, missing=[[0, 120]], incoming=str(incoming))
    assert [chunk.kind for chunk in chunks] == ["chunk"] * (len(chunks) - 1) + ["done"]
    told = [outcome["index"] for chunk in chunks for outcome in chunk.header["experiments"]]
    assert told == list(range(120))
    assert max(len(chunk.body) for chunk in chunks) < CHUNK_BODY_BYTES + 2 * INLINE_LIMIT_BYTES
    files = [sum(item["arrays"][0]["path"] is not None for item in chunk.header["experiments"]) for chunk in chunks]
    assert sum(files) == len(list(incoming.iterdir())) == 20
    assert max(files) <= CHUNK_FILES


def test_a_state_of_many_arrays_comes_whole(child: Child, incoming: Path) -> None:
    circuit = QuantumCircuit(30, name="chain")
    circuit.rx(0.3, 0)
    circuit.cx(range(29), range(1, 30))
    data = encode_qpy([circuit])
    job = spec(method="matrix_product_state", options={"save_state": True}, shots=1, counts_required=False)
    (chunk,) = child.ask(
        "run", job, [source(data, format=envelope.QPY)], data, missing=[[0, 1]], incoming=str(incoming)
    )
    (outcome,) = chunk.header["experiments"]
    names = [array["name"] for array in outcome["arrays"]]
    assert len(names) == len(set(names)) == 2 * 30 + 29
    assert names[:2] == ["matrix_product_state.0.0.0", "matrix_product_state.0.0.1"]
    arrays = {array["name"]: decode_npy(payload(array, chunk)) for array in outcome["arrays"]}
    content = restore_experiment(outcome["format"], payload(outcome, chunk), arrays)
    saving = circuit.copy()
    saving.save_state()
    theirs = AerSimulator(method="matrix_product_state").run(saving, shots=1, seed_simulator=5).result()
    assert same(content["data"], theirs.data(0))


def test_what_cannot_be_written_leaves_nothing_and_what_was_good_is_told(tmp_path: Path, incoming: Path) -> None:
    child = Child(tmp_path / "stderr")
    # The two are one chunk only if the first is quick; either way the first one's result is told.
    data = encode_qpy([rotated(2), rotated(15)])
    incoming.rmdir()
    sources = [source(data, format=envelope.QPY)]
    *chunks, failed = child.ask("run", states(), sources, data, missing=[[0, 2]], incoming=str(incoming))
    assert [item["index"] for chunk in chunks for item in chunk.header["experiments"]] == [0]
    assert (failed.kind, failed.header["message"]) == ("not_stored", "No such file or directory")
    assert not os.path.exists(incoming)
    assert child.process.wait(timeout=ANSWER_TIMEOUT_S) == 0  # another executor goes on


def test_a_draft_is_hashed_on_its_way(incoming: Path) -> None:
    parts: list[bytes | memoryview] = [b"head", np.arange(100_000).data.cast("B"), b""]
    draft = write_incoming(incoming, parts)
    content = b"".join(bytes(part) for part in parts)
    assert draft.path.read_bytes() == content
    assert (draft.sha256, draft.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))


def test_a_draft_that_fails_in_the_middle_is_removed(incoming: Path) -> None:
    def parts() -> Iterator[bytes]:
        yield b"head"
        raise MemoryError

    with pytest.raises(MemoryError):
        write_incoming(incoming, parts())
    assert list(incoming.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_large_array_is_in_memory_once(child: Child, incoming: Path) -> None:
    def peak_bytes(qubits: int) -> int:
        Path(f"/proc/{child.process.pid}/clear_refs").write_text("5")
        data = encode_qpy([rotated(qubits)])
        child.ask("run", states(), [source(data, format=envelope.QPY)], data, missing=[[0, 1]], incoming=str(incoming))
        status = Path(f"/proc/{child.process.pid}/status").read_text()
        (kib,) = re.findall(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
        return int(kib) * 1024

    # The small one first: what an answer was made of is let go just after it was sent.
    small_bytes = peak_bytes(15)
    grown_bytes = peak_bytes(22) - small_bytes
    assert 0.5 < grown_bytes / (16 * 2**22) < 1.3
