"""`show`: everything about one job, the bytes that it was submitted with, its circuits drawn."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from aerjob_cli.api.requests import CircuitBytes, Plan
from aerjob_cli.cli.drawings import draw
from aerjob_cli.errors import CircuitRefused, DrawingFailed
from aerjob_cli.processes import started_of
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Reason
from aerjob_cli.store import claims, lifecycle
from tests.cli.conftest import BAD, Put, Quick
from tests.support.circuits import BELL, layers
from tests.support.command_line import CommandLine
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.running import until
from tests.support.staging import Stage

KEYS = {
    *("queued_s", "ran_s", "error_line", "error_column", "stderr_tail", "memory", "options", "metadata", "priority"),
    *("time_limit_s", "max_memory_mb", "max_attempts", "threads", "estimated_memory_bytes", "engine"),
    *("retry_of", "retries", "submitted_by", "dependencies", "circuits", "history", "workers", "provenance"),
    *("results_pruned_at", "circuits_pruned_at", "end_command"),
}


def _qpy(qubits: int = 1, circuits: int = 1, name: str = "made") -> bytes:
    """Have a process of its own write QPY, since this one is to stay light."""
    code = (
        "import io, sys\nfrom qiskit import QuantumCircuit, qpy\n"
        f"made = [QuantumCircuit({qubits}, {qubits}, name={name!r} + str(i)) for i in range({circuits})]\n"
        "for circuit in made:\n    circuit.h(0)\n    circuit.measure(0, 0)\n"
        "qpy.dump(made, sys.stdout.buffer)\n"
    )
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60).stdout


@pytest.fixture(scope="module")
def three_in_qpy() -> bytes:
    return _qpy(circuits=3)


def test_everything_that_is_known(quick: Quick, put: Put, home: Path) -> None:
    job = put(name="n", tags=("t",), plan=Plan(2, 1), metadata={"k": "v"}, options={"method": "stabilizer"})
    with Stage(StorePaths(home)) as stage:
        stage.start(job)
        stage.crash(job)
        stage.start(job)
        stage.fail(job)
    (again,) = quick.json("retry", job.job_id)["jobs"]

    shown = quick.json("show", job.job_id)
    (listed,) = quick.json("status", job.job_id)["jobs"]
    assert {key: shown[key] for key in listed} == listed
    assert shown.keys() - listed.keys() == KEYS | {"schema_version"}
    assert shown["retries"] == [again["job_id"]]
    assert quick.json("show", "last")["retry_of"] == job.job_id
    assert shown["metadata"] == {"k": "v"}
    assert shown["submitted_by"]["folder"] == os.getcwd()
    assert [(move["from_status"], move["to_status"], move["attempt"]) for move in shown["history"]] == [
        (None, "QUEUED", 0),
        ("QUEUED", "RUNNING", 1),
        ("RUNNING", "QUEUED", 1),
        ("QUEUED", "RUNNING", 2),
        ("RUNNING", "ERROR", 2),
    ]
    assert shown["history"][2]["why"] == "EXECUTOR_CRASHED: it crashed"
    (file,) = shown["circuits"]
    assert (file["name"], file["format"], file["size_bytes"]) == ("circuit", "openqasm2", len(BELL))
    assert re.fullmatch("[0-9a-f]{64}", file["sha256"])
    whole_s = _seconds_between(shown["history"][0]["at"], shown["history"][-1]["at"])
    assert shown["queued_s"] + shown["ran_s"] == pytest.approx(whole_s)

    exit_code, stdout, _ = quick("show", job.job_id)
    assert exit_code == 0
    facts = dict(line.split("\t", 1) for line in stdout.splitlines())
    assert (facts["job"], facts["status"], facts["message"]) == (job.job_id, "ERROR", "it failed")
    assert (facts["attempt"], facts["retried as"]) == ("2, 3 allowed", again["job_id"])


def _seconds_between(first: str, last: str) -> float:
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


def test_why_it_failed_and_where(quick: Quick, put: Put, home: Path) -> None:
    job = put()
    with Stage(StorePaths(home)) as stage, stage.store.writing() as tx:
        (claimed,) = claims.claim_validations(tx, "w", limit=1, now_us=1)
        lifecycle.fail(
            tx,
            claimed.claim,
            Reason.INVALID_CIRCUIT,
            "no\x1b[2J such gate",
            stderr_tail="first\nlast\x07 line",
            now_us=2,
            line=6,
            column=11,
        )
    shown = quick.json("show", job.job_id)
    assert (shown["error_line"], shown["error_column"]) == (6, 11)
    assert shown["stderr_tail"] == "first\nlast\x07 line"
    _, stdout, _ = quick("show", job.job_id)
    assert "place\tline 6, column 11\n" in stdout
    assert "stderr\tfirst\nstderr\tlast line\n" in stdout
    assert "message\tno[2J such gate\n" in stdout


def test_it_fits_a_terminal(idle: CommandLine, put: Put) -> None:
    job = put(name="名前" * 40, tags=("\x1b[2J",), metadata={"long": "m" * 100})
    with PseudoTerminal(idle, "show", job.job_id, columns=80, lines=60) as terminal:
        assert terminal.end() == 0
        text, sent = terminal.text, terminal.sent
    assert b"\x1b[2J" not in sent
    for heading in ("Circuits", "History"):
        assert f"\n{heading}\n" in text
    assert job.job_id in text
    assert text.count("名前") + text.count("名\n") >= 39
    assert "INITIALIZING" in text
    assert re.search(r"0 +circuit +openqasm2 +\d+ bytes", text)


def _raw(aerjob: CommandLine, *arguments: str) -> tuple[int, bytes, bytes]:
    done = subprocess.run(
        aerjob.command(*arguments),
        cwd=aerjob.folder,
        env=aerjob.environment(None),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("data", [BELL.replace("\n", "\r\n").encode(), b"\xff\x00\r\n\x1a", b"QISKIT" + bytes(300_000)])
def test_the_source_is_what_came(idle: CommandLine, put: Put, tmp_path: Path, data: bytes) -> None:
    job = put(circuits=(CircuitBytes("f", "openqasm2", data),))
    assert _raw(idle, "show", job.job_id, "--source") == (0, data, b"")
    place = tmp_path / "out.qasm"
    assert _raw(idle, "show", job.job_id, "--source", "-o", "out.qasm") == (0, b"", b"")
    assert place.read_bytes() == data
    place.write_bytes(b"mine")
    assert _raw(idle, "show", job.job_id, "--source", "-o", "out.qasm")[0] == 2
    assert place.read_bytes() == b"mine"
    assert _raw(idle, "show", job.job_id, "--source", "--output", "out.qasm", "--force")[0] == 0
    assert place.read_bytes() == data


def test_of_several_files_one_is_named(idle: CommandLine, quick: Quick, put: Put) -> None:
    job = put(circuits=(CircuitBytes("a.qasm", "openqasm2", b"A"), CircuitBytes("b.qpy", "qpy", b"B")))
    error = quick.json("show", job.job_id, "--source", exit_code=2)["error"]
    assert "leave out --json" in error["message"]
    exit_code, stdout, stderr = quick("show", job.job_id, "--source")
    assert (exit_code, stdout) == (2, "")
    assert "0 (a.qasm, openqasm2), 1 (b.qpy, qpy)" in stderr
    assert quick("show", job.job_id, "--source", "--file", "2")[0] == 2
    assert _raw(idle, "show", job.job_id, "--source", "--file", "1") == (0, b"B", b"")


def test_a_terminal_gets_clean_text_and_no_qpy(idle: CommandLine, put: Put) -> None:
    text = put(circuits=(CircuitBytes("f", "openqasm2", "// \x1b[2Jé\n\th q;\n".encode()),))
    binary = put(circuits=(CircuitBytes("f.qpy", "qpy", b"QISKIT\xff\x00"),))
    with PseudoTerminal(idle, "show", text.job_id, "--source") as terminal:
        assert terminal.end() == 0
        assert terminal.lines[:2] == ["// [2Jé", "        h q;"]
    with PseudoTerminal(idle, "show", binary.job_id, "--source") as terminal:
        assert terminal.end() == 2
        assert "redirect stdout" in " ".join(terminal.lines)


@pytest.mark.parametrize(
    "options",
    [
        ("--source", "--circuit"),
        ("--file", "0"),
        ("-o", "x"),
        ("--force",),
        ("--experiment", "0"),
        ("--source", "--experiment", "0"),
        ("--source", "-o", "/no/such/folder/x"),
        ("--circuit", "--experiment", "-1"),
    ],
)
def test_options_that_say_nothing_together(quick: Quick, put: Put, options: tuple[str, ...]) -> None:
    put()
    exit_code, stdout, stderr = quick("show", "last", *options)
    assert (exit_code, stdout, len(stderr.splitlines())) == (2, "", 1)


BELL_DRAWN = [
    "     ┌───┐     ┌─┐   ",
    "q_0: ┤ H ├──■──┤M├───",
    "     └───┘┌─┴─┐└╥┘┌─┐",
    "q_1: ─────┤ X ├─╫─┤M├",
    "          └───┘ ║ └╥┘",
    "c: 2/═══════════╩══╩═",
    "                0  1 ",
]


def test_a_circuit_is_drawn(quick: Quick, put: Put) -> None:
    job = put(options={"measure_all": True})
    exit_code, stdout, stderr = quick("show", job.job_id, "--circuit")
    heading, *drawing = stdout.splitlines()
    assert (exit_code, drawing) == (0, BELL_DRAWN)
    assert heading == "# 0 circuit: 2 qubits, 2 clbits, depth 3, 4 operations (measure 2, h 1, cx 1)"
    assert "--measure-all" in stderr
    value = quick.json("show", job.job_id, "--circuit")
    assert value["job_id"] == job.job_id
    (circuit,) = value["circuits"]
    assert circuit["drawing"].split("\n") == BELL_DRAWN
    assert circuit["operations"] == {"measure": 2, "h": 1, "cx": 1}
    assert (circuit["experiment"], circuit["qubits"], circuit["depth"]) == (0, 2, 3)


def test_one_of_several_circuits(quick: Quick, put: Put, three_in_qpy: bytes) -> None:
    files = (CircuitBytes("b", "openqasm2", BELL.encode()), CircuitBytes("q.qpy", "qpy", three_in_qpy))
    job = put(circuits=files)
    drawn = quick.json("show", job.job_id, "--circuit")["circuits"]
    assert [circuit["name"] for circuit in drawn] == ["b", "made0", "made1", "made2"]
    (one,) = quick.json("show", job.job_id, "--circuit", "--experiment", "2")["circuits"]
    assert one == drawn[2]
    exit_code, stdout, stderr = quick("show", job.job_id, "--circuit", "--experiment", "4")
    assert (exit_code, stdout) == (2, "")
    assert "4 circuits, 0 to 3" in stderr


def test_a_circuit_that_is_none(quick: Quick, put: Put) -> None:
    job = put(circuits=(CircuitBytes("bad.qasm", "openqasm2", BAD.encode()),))
    error = quick.json("show", job.job_id, "--circuit", exit_code=6)["error"]
    assert (error["code"], error["line"], error["column"]) == ("circuit_refused", 6, 11)


def _drawn(text: str, *, width: int = 80) -> Any:
    drawn = draw([CircuitBytes("c", "openqasm2", text.encode())], width=width, experiment=None, subject="x")
    assert drawn.total == 1
    return drawn.drawings[0]


@pytest.mark.parametrize(("qubits", "depth"), [(101, 1), (10, 150)])
def test_what_is_too_large_is_summed_up(qubits: int, depth: int) -> None:
    drawing = _drawn(layers(qubits, depth))
    assert drawing.text is None
    assert drawing.qubits == qubits
    assert drawing.operations["u3"] == qubits * depth


def test_a_large_circuit_is_told_of(quick: Quick, put: Put) -> None:
    job = put(circuits=(CircuitBytes("c", "openqasm2", layers(101, 1).encode()),))
    exit_code, stdout, stderr = quick("show", job.job_id, "--circuit")
    assert (exit_code, len(stdout.splitlines())) == (0, 1)
    assert "101 qubits" in stdout
    assert "too large to be drawn: circuit 0" in stderr


def test_a_drawing_is_folded_to_the_width() -> None:
    narrow, wide = _drawn(layers(3, 20), width=60), _drawn(layers(3, 20), width=500)
    assert max(map(len, narrow.text.split("\n"))) <= 60
    assert 60 < max(map(len, wide.text.split("\n"))) <= 500


def test_more_circuits_than_anybody_looks_at(quick: Quick, put: Put) -> None:
    job = put(circuits=tuple(CircuitBytes(f"c{at}", "openqasm2", BELL.encode()) for at in range(23)))
    exit_code, stdout, stderr = quick("show", job.job_id, "--circuit")
    assert (exit_code, stdout.count("# ")) == (0, 20)
    assert "3 more circuits" in stderr


def test_names_in_a_circuit_cannot_act_on_a_terminal(quick: Quick, put: Put) -> None:
    job = put(circuits=(CircuitBytes("q.qpy", "qpy", _qpy(name="\x1b[2J\n\u202e")),))
    exit_code, stdout, _ = quick("show", job.job_id, "--circuit")
    assert exit_code == 0
    assert not {"\x1b", "\u202e"} & set(stdout)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (BELL.replace("q[2]", "q[18446744073709551616]"), CircuitRefused),
        # A million qubits with a million operations on each: more memory, or more time, than a drawing may take.
        ('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1000000];\n' + "h q;\n" * 1_000_000, DrawingFailed),
    ],
)
def test_whatever_a_parser_does_is_a_sentence(
    text: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    from aerjob_cli.cli import drawings

    monkeypatch.setattr(drawings, "_TAKES_AT_MOST_S", 4.0)
    begun_s = time.monotonic()
    with pytest.raises(error):
        _drawn(text)
    assert time.monotonic() - begun_s < 60


@pytest.fixture
def slow_drawing(idle: CommandLine, put: Put) -> Iterator[subprocess.Popen[str]]:
    text = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1000000];\n' + "h q;\n" * 100_000
    job = put(circuits=(CircuitBytes("c", "openqasm2", text.encode()),))
    process = idle.start("show", job.job_id, "--circuit")
    yield process
    process.kill()
    process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_the_drawer_dies_with_its_parent(slow_drawing: subprocess.Popen[str]) -> None:
    def drawer() -> int | None:
        children = Path(f"/proc/{slow_drawing.pid}/task/{slow_drawing.pid}/children").read_text().split()
        for child in children:
            # Only from then on it has asked to die.
            if "qiskit" in Path(f"/proc/{child}/maps").read_text():
                return int(child)
        return None

    pid = until(drawer)
    started = started_of(pid)
    slow_drawing.kill()
    killed_s = time.monotonic()
    until(lambda: started_of(pid) != started or None)
    # Its own limit of CPU time would have ended it, too, half a minute later.
    assert time.monotonic() - killed_s < 15


def test_light_unless_it_draws(put: Put) -> None:
    put()
    code = "import sys\nimport aerjob_cli.cli.commands.show\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not {"qiskit", "numpy", "rich"} & set(done.stdout.split())
