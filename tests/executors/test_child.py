"""The executor's loop, in a real process at the other end of a real socket."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

from aerjob_cli.codec import envelope
from aerjob_cli.codec.quantum_payload import write as encode_qpy
from aerjob_cli.codec.results import decode_experiment
from aerjob_cli.executors.messages import Source
from aerjob_cli.settings import INLINE_LIMIT_BYTES
from tests.executors.child_process import ANSWER_TIMEOUT_S, BELL, Child, counts_by_index, payload, source, spec


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    child = Child(tmp_path / "stderr")
    yield child
    child.process.kill()
    child.process.wait()
    child.connection.close()


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


def rotations(count: int) -> list[QuantumCircuit]:
    circuits = []
    for index in range(count):
        circuit = QuantumCircuit(1, 1, name=f"r{index}")
        circuit.rx(0.1 * index, 0)
        circuit.measure(0, 0)
        circuits.append(circuit)
    return circuits


def test_a_good_job_is_accepted_and_run(child: Child, incoming: Path) -> None:
    (accepted,) = child.ask("validate", spec(), [source(BELL)], BELL)
    assert accepted.header.pop("took_s") > 0
    assert 0 < accepted.header.pop("estimated_bytes") < 2**26
    assert accepted.header == {"kind": "accepted", "ticket": "t-1", "experiments_total": 1, "threads": 1}
    (done,) = child.ask("run", spec(), [source(BELL)], BELL, missing=[[0, 1]], incoming=str(incoming))
    (outcome,) = done.header["experiments"]
    assert (outcome["index"], outcome["name"], outcome["shots"], outcome["seed"]) == (0, "bell", 100, 5)
    assert outcome["format"] == envelope.EXPERIMENT_RESULT
    assert sum(decode_experiment(payload(outcome, done))["data"]["counts"].values()) == 100
    assert done.header["engine"].startswith("qiskit-aer ")
    assert list(incoming.iterdir()) == []
    assert child.end() == 0


def test_only_what_is_missing_is_run_and_it_is_what_one_run_gives(child: Child, incoming: Path) -> None:
    first, second = encode_qpy(rotations(20)), encode_qpy(rotations(40)[20:])
    sources = [
        source(first, format=envelope.QPY, name="a"),
        source(second, format=envelope.QPY, name="b", offset=len(first)),
    ]
    job = spec(seed=2**63 - 1)
    (accepted,) = child.ask("validate", job, sources, first + second)
    assert accepted.header["experiments_total"] == 40
    missing = [[3, 4], [10, 31]]
    answers = child.ask("run", job, sources, first + second, missing=missing, incoming=str(incoming))
    whole = AerSimulator().run(rotations(40), shots=100, seed_simulator=2**63 - 1).result()
    expected = [3, *range(10, 31)]
    assert counts_by_index(answers) == {index: whole.results[index].data.counts for index in expected}


def test_a_large_result_becomes_a_private_file(child: Child, incoming: Path) -> None:
    job = spec(shots=INLINE_LIMIT_BYTES // 4, memory=True)
    (done,) = child.ask("run", job, [source(BELL)], BELL, missing=[[0, 1]], incoming=str(incoming))
    (outcome,) = done.header["experiments"]
    (file,) = incoming.iterdir()
    assert outcome["path"] == str(file)
    assert outcome["offset"] is None
    assert done.body == b""
    assert outcome["size_bytes"] == file.stat().st_size > INLINE_LIMIT_BYTES
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(decode_experiment(payload(outcome, done))["data"]["memory"]) == job.shots


def test_a_source_may_be_a_file(child: Child, tmp_path: Path) -> None:
    path = tmp_path / "object"
    path.write_bytes(BELL)
    in_file = Source(envelope.OPENQASM2, envelope.sha256_hex(BELL), len(BELL), "bell.qasm", path=str(path))
    (accepted,) = child.ask("validate", spec(), [in_file])
    assert accepted.kind == "accepted"
    path.write_bytes(BELL.replace(b"h q", b"x q"))
    (refused,) = child.ask("validate", spec(), [in_file])
    assert refused.header["reason"] == "INVALID_CIRCUIT"
    assert "the stored circuits of bell.qasm are damaged" in refused.header["message"]
    path.unlink()
    (gone,) = child.ask("validate", spec(), [in_file])
    assert "are damaged" in gone.header["message"]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        (b"OPENQASM 2.0;\nqreg q[1];\n  foo q[0];", 3, 3, "'foo' is not defined"),
        (b"OPENQASM 2.0;\nqreg q[1];\n\xff", 3, 1, "UTF-8"),
        (b"OPENQASM 2.0;\nqreg q[18446744073709551616];", None, None, "too large"),
        (b"OPENQASM 2.0;\nqreg q[1];", None, None, "--measure-all"),
        (b"", None, None, "is empty"),
    ],
)
def test_a_bad_circuit_is_refused_with_its_place_and_the_next_job_runs(
    child: Child, text: bytes, line: int | None, column: int | None, words: str
) -> None:
    (refused,) = child.ask("validate", spec(), [source(text)], text)
    assert words in refused.header.pop("message")
    assert refused.header == {
        "kind": "failed",
        "ticket": "t-1",
        "reason": "INVALID_CIRCUIT",
        "line": line,
        "column": column,
    }
    (accepted,) = child.ask("validate", spec(), [source(BELL)], BELL)
    assert accepted.kind == "accepted"


def test_a_simulation_that_needs_too_much_fails_after_what_was_good(child: Child, incoming: Path) -> None:
    wide = QuantumCircuit(40, 40)
    wide.h(range(40))
    wide.t(range(40))
    wide.cx(range(39), range(1, 40))
    wide.measure(range(40), range(40))
    data = encode_qpy([*rotations(2), wide])
    sources = [source(data, format=envelope.QPY)]
    (refused,) = child.ask("validate", spec(), sources, data)
    assert "needs 16 TiB for a 40-qubit statevector" in refused.header["message"]
    *chunks, failed = child.ask("run", spec(), sources, data, missing=[[0, 3]], incoming=str(incoming))
    assert [outcome["index"] for chunk in chunks for outcome in chunk.header["experiments"]] == [0, 1]
    assert failed.header["reason"] == "OUT_OF_MEMORY"
    assert "Insufficient memory to run circuit" in failed.header["message"]


def test_an_unexpected_error_is_answered_and_leaves_its_traceback(child: Child, incoming: Path) -> None:
    (failed,) = child.ask("run", spec(), [source(BELL)], BELL, missing=[[0, 2]], incoming=str(incoming))
    assert failed.header["reason"] == "SIMULATION_FAILED"
    assert "the job failed: experiments 0 to 2 were asked for, the job has 1" in failed.header["message"]
    assert "Traceback" in child.log()
    assert child.process.wait(timeout=ANSWER_TIMEOUT_S) == 0  # another executor goes on


def test_a_result_that_cannot_be_written_is_told_and_leaves_no_file(child: Child, tmp_path: Path) -> None:
    job = spec(shots=INLINE_LIMIT_BYTES // 4, memory=True)
    nowhere = str(tmp_path / "missing")
    (failed,) = child.ask("run", job, [source(BELL)], BELL, missing=[[0, 1]], incoming=nowhere)
    assert (failed.kind, failed.header["message"]) == ("not_stored", "No such file or directory")
    assert not os.path.exists(nowhere)


def test_a_message_that_is_none_ends_the_executor(child: Child) -> None:
    child.send({"kind": "sing", "ticket": "t-1"})
    assert child.process.wait(timeout=ANSWER_TIMEOUT_S) == 1
    assert "MessageError" in child.log()


def test_an_interrupt_is_not_swallowed(child: Child) -> None:
    child.process.send_signal(signal.SIGINT)
    assert child.process.wait(timeout=ANSWER_TIMEOUT_S) not in (0, 1)
    assert "KeyboardInterrupt" in child.log()


def test_many_experiments_arrive_in_many_messages(child: Child, incoming: Path) -> None:
    data = encode_qpy(rotations(1500))
    sources = [source(data, format=envelope.QPY)]
    answers = child.ask("run", spec(), sources, data, missing=[[0, 1500]], incoming=str(incoming))
    assert list(counts_by_index(answers)) == list(range(1500))
    assert len(answers) > 3
