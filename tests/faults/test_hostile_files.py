"""Files that are endless, huge, nested, no files at all or something else in disguise; and requests without measure."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from qiskit import QuantumCircuit, qpy

from aerjob_cli import BasicAerProvider, settings
from aerjob_cli.api.request_checks import METADATA_LIMIT_BYTES, TAGS_LIMIT
from aerjob_cli.api.requests import CircuitBytes
from aerjob_cli.codec import circuits as circuits_codec
from aerjob_cli.codec import envelope
from aerjob_cli.errors import AerjobError, CircuitRefused, InputRefused
from aerjob_cli.states import Reason, Status
from aerjob_cli.store import workers
from aerjob_cli.store.listing import JobFilter
from tests.cli.conftest import idle as idle
from tests.faults.support.validator import ACCEPTED, REFUSED, Validator, is_sentence, validator_in
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine
from tests.support.matrix import Matrix
from tests.support.running import Scene

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc for what an executor takes")

_LARGE_BYTES = 100 * 2**20
# Less than that file; a command alone takes some 40 MB, and holds 16 MiB of a file.
_MEMORY_KIB = 90_000

QASM2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\n'
QASM3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\n'


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Validator]:
    with validator_in(tmp_path_factory.mktemp("scratch")) as made:
        yield made


def _written(circuit: QuantumCircuit, version: int | None = None) -> bytes:
    file = io.BytesIO()
    qpy.dump(circuit, file, **({} if version is None else {"version": version}))
    return file.getvalue()


def _with_metadata(text: str) -> bytes:
    """Write QPY whose metadata is that text, whether it is JSON or not."""
    circuit = QuantumCircuit(1, 1, metadata={"a": "x" * (len(text) - len('{"a": ""}'))})
    circuit.measure(0, 0)
    data = _written(circuit)
    honest = json.dumps(circuit.metadata, separators=(",", ":")).encode()
    spaced = json.dumps(circuit.metadata).encode()
    found = spaced if spaced in data else honest
    assert data.count(found) == 1
    return data.replace(found, text.encode().ljust(len(found)))


def _nested_blocks(depth: int) -> bytes:
    """Write QPY of blocks within one another."""
    block = QuantumCircuit(1, 1)
    block.x(0)
    for _ in range(depth):
        outer = QuantumCircuit(1, 1)
        outer.if_test((outer.clbits[0], 1), block, [0], [0])
        block = outer
    return _written(block)


NESTED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "brackets of OpenQASM 2": (
        envelope.OPENQASM2,
        lambda: f"{QASM2}rx({'(' * 100_000}1{')' * 100_000}) q[0];".encode(),
    ),
    "signs of OpenQASM 2": (envelope.OPENQASM2, lambda: f"{QASM2}rx({'-' * 100_000}1) q[0];".encode()),
    "functions of OpenQASM 2": (
        envelope.OPENQASM2,
        lambda: f"{QASM2}rx({'sin(' * 50_000}1{')' * 50_000}) q[0];".encode(),
    ),
    "brackets of OpenQASM 3": (envelope.OPENQASM3, lambda: f"{QASM3}rx({'(' * 1500}1{')' * 1500}) q[0];".encode()),
    "blocks of OpenQASM 3": (
        envelope.OPENQASM3,
        lambda: f"{QASM3}{'if (c[0]) { ' * 400}x q[0];{' }' * 400}".encode(),
    ),
    "indices of OpenQASM 3": (envelope.OPENQASM3, lambda: f"{QASM3}x q{'[0' * 500}{']' * 500};".encode()),
    "blocks of QPY": (envelope.QPY, lambda: _nested_blocks(80)),
    "metadata of QPY": (envelope.QPY, lambda: _with_metadata('{"a":' + "[" * 30_000 + "]" * 30_000 + "}")),
}


@pytest.mark.parametrize("what", NESTED)
def test_deep_nesting_is_refused_in_a_sentence_or_costs_one_executor(what: str, validator: Validator) -> None:
    format, made = NESTED[what]
    verdict = validator.ask(format, made())
    assert verdict.outcome != REFUSED or is_sentence(verdict.message), verdict
    # Qiskit reads blocks of QPY that deep, and OpenQASM 2 knows no depth for signs.
    assert verdict.outcome != ACCEPTED or what in ("blocks of QPY", "signs of OpenQASM 2"), verdict


class _Runs:
    """Unpickling this makes a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._folder),)


@pytest.mark.parametrize("format", sorted(envelope.CIRCUIT_FORMATS))
def test_a_pickle_an_archive_or_a_program_in_disguise_is_refused_and_not_run(
    format: str, validator: Validator, tmp_path: Path
) -> None:
    folder = tmp_path / "made-by-a-pickle"
    attack = pickle.dumps(_Runs(folder))
    good = _written(QuantumCircuit(1, 1))
    head = good[:7]  # the magic and the version
    disguised = {
        "pickle": attack,
        "pickle behind the head of QPY": head + attack,
        "pickle as metadata": good[:40] + attack,
        "gzip": gzip.compress(good),
        "gzip behind the head of QPY": head + gzip.compress(good),
        "program": Path(sys.executable).read_bytes()[:65536],
        "picture": b"\x89PNG\r\n\x1a\n" + bytes(1000),
        "python": b"import os; os.mkdir('x')\n",
    }
    for name, data in disguised.items():
        verdict = validator.ask(format, data)
        assert verdict.outcome == REFUSED, (name, verdict)
        assert is_sentence(verdict.message), (name, verdict)
    assert not folder.exists()
    pickle.loads(attack)  # noqa: S301 - it would have done something
    assert folder.exists()


@pytest.mark.parametrize("version", range(13))
def test_qpy_of_a_version_that_could_run_code_is_refused_unread(version: int, validator: Validator) -> None:
    data = bytearray(_written(QuantumCircuit(1, 1)))
    data[6] = version
    verdict = validator.ask(envelope.QPY, bytes(data))
    assert verdict.outcome == REFUSED
    assert "CVE-2025-2000" in verdict.message


@pytest.mark.parametrize(
    ("format", "text"),
    [
        (envelope.OPENQASM2, 'OPENQASM 2.0;\ninclude "{itself}";\nqreg q[1];\n'),
        (envelope.OPENQASM3, 'OPENQASM 3.0;\ninclude "{itself}";\nqubit q;\n'),
    ],
)
def test_a_file_that_includes_itself_is_refused(format: str, text: str, validator: Validator, tmp_path: Path) -> None:
    itself = tmp_path / "itself.qasm"
    itself.write_text(text.format(itself=itself))
    for name in (str(itself), "itself.qasm", "file"):
        verdict = validator.ask(format, text.format(itself=name).encode())
        assert verdict.outcome == REFUSED
        assert " can be included; copy the definitions into the file" in verdict.message


def test_a_register_beyond_all_simulators_is_refused_before_its_bits_are_made(validator: Validator) -> None:
    for format, text in (
        (envelope.OPENQASM2, f"{QASM2}qreg big[2147483647];"),
        (envelope.OPENQASM2, QASM2 + "".join(f"creg c{index}[600000];" for index in range(1000))),
        (envelope.OPENQASM2, f"{QASM2}qreg big[{'9' * 5000}];"),
        (envelope.OPENQASM3, f"{QASM3}qubit[2147483647] big;"),
    ):
        verdict = validator.ask(format, text.encode())
        assert verdict.outcome == REFUSED, text[:100]
        assert "look for a number that is too large" in verdict.message


def test_a_file_of_100_mb_is_refused_without_being_held_in_memory(idle: CommandLine) -> None:
    with (idle.folder / "large.qasm").open("wb") as file:
        file.truncate(_LARGE_BYTES)
    done = idle.shell(f"ulimit -d {_MEMORY_KIB}; aerjob submit large.qasm")
    assert (done.returncode, done.stdout) == (6, ""), done.stderr
    assert done.stderr.startswith("aerjob: large.qasm is larger than 16 MiB")
    assert idle.json("list")["jobs"] == []


@pytest.mark.parametrize("endless", ["yes |", "tr '\\0' '\\n' < /dev/zero |"])
def test_endless_stdin_ends_at_the_limit(idle: CommandLine, endless: str) -> None:
    done = idle.shell(f"{endless} (ulimit -d {_MEMORY_KIB}; aerjob submit -)")
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.startswith("aerjob: stdin is larger than 16 MiB"), done.stderr


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null", "/dev/full", "/dev/urandom", "/dev/tty", "/dev", "fifo"])
def test_a_device_or_a_pipe_without_a_writer_is_refused_at_once(idle: CommandLine, name: str) -> None:
    os.mkfifo(idle.folder / "fifo")
    done = idle("submit", name, timeout=60)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (6, "", 1)
    assert done.stderr.startswith(f"aerjob: {name} ")


def test_a_pipe_that_the_shell_has_opened_is_waited_for_and_read_to_the_limit(idle: CommandLine) -> None:
    done = idle.shell("aerjob submit <(sleep 0.2; yes | head -c 20M)")
    assert (done.returncode, done.stdout) == (6, "")
    assert " is larger than 16 MiB, the limit of one file" in done.stderr


def test_requests_have_limits(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "home")
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    itself: dict[str, Any] = {}
    itself["itself"] = itself
    refused: dict[str, dict[str, Any]] = {
        "name": {"name": "n" * 1001},
        "tag": {"tags": ["t" * 1001]},
        "tags": {"tags": [f"t{index}" for index in range(TAGS_LIMIT + 1)]},
        "key": {"idempotency_key": "k" * 1001},
        "metadata": {"metadata": {"a": "x" * METADATA_LIMIT_BYTES}},
        "nested": {"metadata": {"a": deep}},
        "circular": {"metadata": itself},
        "long number": {"metadata": {"a": 10**5000}},
        "object": {"metadata": {"a": object()}},
        "payload": {"circuits": (CircuitBytes("c", "openqasm2", bytes(settings.PAYLOAD_LIMIT_BYTES + 1)),)},
    }
    for what, changes in refused.items():
        with pytest.raises(InputRefused) as caught:
            scene.put(scene.request(BELL, **changes))
        assert len(caught.value.message) < 300, what
    (job,) = scene.put(scene.request(BELL, tags=[f"t{index}" for index in range(TAGS_LIMIT)]))
    with pytest.raises(InputRefused, match="tags"):
        scene.client.tag([job], add=["one more"], remove=[])
    assert len(scene.client.find(job.job_id).tags) == TAGS_LIMIT
    while deep:  # Python's own way to free it is recursive
        deep = deep.pop()
    scene.client.close()


def test_a_file_has_a_limit_of_operations_after_parsing(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = settings.OPERATIONS_LIMIT
    if not matrix.is_full:
        limit = 10_000
        monkeypatch.setattr(circuits_codec, "OPERATIONS_LIMIT", limit)
    head = 'OPENQASM 2.0;include "qelib1.inc";qreg q[1000];'

    def read(applications: int) -> int:
        (circuit,) = circuits_codec.decode_circuits("openqasm2", (head + "h q;" * applications).encode(), "bomb")
        return circuits_codec.operations_of(circuit)

    assert read(limit // 1000) == limit
    with pytest.raises(CircuitRefused, match=r"bomb has more than \d+ operations, the limit of one file"):
        read(limit // 1000 + 1)


def test_operations_in_loops_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuits_codec, "OPERATIONS_LIMIT", 30)
    (circuit,) = circuits_codec.decode_circuits("qpy", _nested_blocks(10), "loops")
    assert circuits_codec.operations_of(circuit) == 11
    with pytest.raises(CircuitRefused, match="operations"):
        circuits_codec.decode_circuits("qpy", _nested_blocks(40), "loops")


def test_a_job_has_a_limit_of_circuits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AERJOB_HOME", str(tmp_path / "home"))
    circuit = QuantumCircuit(1, 1)
    backend = BasicAerProvider().get_backend("qasm_simulator")
    with pytest.raises(AerjobError, match=f"a job may have {settings.CIRCUITS_LIMIT}"):
        backend.run([circuit] * (settings.CIRCUITS_LIMIT + 1))
    assert backend.client.listed(JobFilter(), limit=1) == []


# Gates of gates, each of two of those before: a few lines that are 2^60 operations.
_BOMB = "".join(f"gate g{index} a {{ g{index - 1} a; g{index - 1} a; }}\n" for index in range(1, 61))
GATE_BOMB = f"{QASM2}gate g0 a {{ h a; }}\n{_BOMB}g60 q[0];\nmeasure q -> c;\n"


def test_a_circuit_whose_parser_dies_or_never_ends_is_refused_and_the_next_one_is_not(scene: Scene) -> None:
    scene.start_worker("--validation-limit", "4")
    (crashing,) = scene.put(scene.request(GATE_BOMB))
    killed: set[int] = set()

    def validators(tx: Any) -> int | None:
        children = [child.pid for child in workers.alive(tx)[0].children[1:]]
        return next((pid for pid in children if pid not in killed), None)

    for _ in range(2):
        scene.wait_for_status(crashing, Status.VALIDATING)
        killed.add(pid := scene.wait(validators))
        os.kill(pid, signal.SIGSEGV)
    refused = scene.wait_for_status(crashing, Status.ERROR)
    assert refused.reason is Reason.INVALID_CIRCUIT
    assert refused.message == "the parser of these circuits failed: it died of SIGSEGV"

    (endless,) = scene.put(scene.request(GATE_BOMB))
    (after,) = scene.put(scene.request(BELL))
    late = scene.wait_for_status(endless, Status.ERROR)
    assert late.reason is Reason.INVALID_CIRCUIT
    assert late.message == "validation took longer than 4 s; make the circuits smaller or fewer"
    scene.wait_for_status(after, Status.DONE)
