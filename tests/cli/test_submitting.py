"""What `submit` and `run` can be told: formats, simulators, options, several files as one job."""

from __future__ import annotations

from pathlib import Path

import pytest
from qiskit import QuantumCircuit, qasm2, qpy

from tests.support.circuits import BELL
from tests.support.command_line import CommandLine

BELL3 = """OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
h q[0];
cx q[0], q[1];
c = measure q;
"""
ONE = BELL.replace("h q[0];", "x q[0];")
T_GATE = BELL.replace("cx ", "t q[0];\ncx ")


@pytest.fixture
def qpy_file(tmp_path: Path) -> Path:
    path = tmp_path / "two.qpy"
    first = qasm2.loads(BELL)
    first.name = "first"
    second = QuantumCircuit(1, 1, name="second")
    second.x(0)
    second.measure(0, 0)
    with path.open("wb") as file:
        qpy.dump([first, second], file)
    return path


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_formats_are_told_by_content_and_may_come_from_stdin(
    working: CommandLine, tmp_path: Path, qpy_file: Path
) -> None:
    misnamed = write(tmp_path, "bell3.txt", BELL3)
    (job,) = working.json("run", misnamed, "--shots", "50")["jobs"]
    assert set(job["experiments"][0]["counts"]) <= {"00", "11"}
    assert job["name"] == "bell3"

    piped = working("run", "-", "--shots", "50", input=BELL3)
    assert piped.returncode == 0, piped
    assert {line.split("\t")[0] for line in piped.stdout.splitlines()} <= {"00", "11"}

    (job,) = working.json("run", qpy_file, "--shots", "50")["jobs"]
    assert [experiment["name"] for experiment in job["experiments"]] == ["first", "second"]
    assert job["experiments"][1]["counts"] == {"1": 50}


def test_a_forced_format_decides(working: CommandLine, tmp_path: Path) -> None:
    done = working("submit", write(tmp_path, "bell3.qasm", BELL3), "--format", "openqasm2")
    assert done.returncode == 6
    assert "bell3.qasm is OpenQASM 3" in done.stderr
    done = working("submit", write(tmp_path, "bell.qasm", BELL), "--format", "qpy")
    assert done.returncode == 6
    assert "is not a QPY file" in done.stderr


def test_an_error_of_openqasm_3_has_its_place_and_nothing_else_is_printed(working: CommandLine, tmp_path: Path) -> None:
    path = write(tmp_path, "bad3.qasm", BELL3.replace("h q[0];", "h q[0]"))
    done = working("submit", path)
    assert (done.returncode, done.stdout) == (6, "")
    assert "bad3.qasm" in done.stderr
    assert "line 6" in done.stderr or "line 5" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_several_files_can_be_one_job(working: CommandLine, tmp_path: Path, qpy_file: Path) -> None:
    first, second = write(tmp_path, "a.qasm", BELL), write(tmp_path, "b.qasm", ONE)
    (job,) = working.json("run", first, qpy_file, second, "--one-job", "--seed", "5", "--shots", "20")["jobs"]
    assert job["experiments_total"] == 4
    assert job["name"] == "a"
    assert [experiment["name"] for experiment in job["experiments"]] == ["a", "first", "second", "b"]
    # The seeds of a batch, as Aer counts them.
    assert [experiment["seed"] for experiment in job["experiments"]] == [5, 2118, 4231, 6344]
    assert job["experiments"][3]["counts"] == {"11": 20}


def test_an_idempotency_key_fits_one_job_of_many_files(working: CommandLine, tmp_path: Path) -> None:
    files = [write(tmp_path, "k1.qasm", BELL), write(tmp_path, "k2.qasm", ONE)]
    assert working("submit", *files, "--idempotency-key", "k").returncode == 2
    first = working("submit", *files, "--one-job", "--idempotency-key", "k")
    again = working("submit", *files, "--one-job", "--idempotency-key", "k")
    assert first.returncode == again.returncode == 0
    assert first.stdout == again.stdout


def test_method_and_options_reach_the_simulator(working: CommandLine, tmp_path: Path) -> None:
    bell = write(tmp_path, "bell.qasm", BELL)
    (job,) = working.json(
        *("run", bell, "--backend", "aer_simulator", "--method", "matrix_product_state", "--shots", "10"),
        *("--option", "matrix_product_state_max_bond_dimension=4", "--option", "fusion_enable=no"),
    )["jobs"]
    assert (job["backend"], job["method"], job["status"]) == ("aer_simulator", "matrix_product_state", "DONE")
    (shown,) = working.json("status", job["job_id"])["jobs"]
    assert shown["method"] == "matrix_product_state"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--option", "fusion_enabled=1"), 6, "'fusion_enable'"),
        (("--option", "fusion_enable=maybe"), 6, "true or false"),
        (("--option", "fusion_max_qubit=2.5"), 6, "whole number"),
        (("--option", "fusion_enable"), 2, "KEY=VALUE"),
        (("--option", "shots=3"), 2, "--shots"),
        (("--option", "precision=single", "--option", "precision=double"), 2, "twice"),
        (("--method", "stabiliser"), 6, "stabilizer"),
        (("--backend", "unitary_simulator", "--method", "stabilizer"), 6, "unitary"),
        (("--optimization-level", "4"), 6, "from 0 to 3"),
        (("--max-memory", "lots"), 2, "amount of memory"),
        (("--max-memory", "0"), 6, "--max-memory"),
        (("--time-limit", "soon"), 2, "not a duration"),
        (("--format", "quil"), 2, "openqasm2"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    working: CommandLine, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = working("submit", write(tmp_path, "bell.qasm", BELL), *arguments)
    assert (done.returncode, done.stdout) == (code, ""), done
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_method_that_cannot_run_the_circuit_is_refused(working: CommandLine, tmp_path: Path) -> None:
    path = write(tmp_path, "t.qasm", T_GATE)
    done = working("submit", path, "--method", "stabilizer")
    assert (done.returncode, done.stdout) == (6, "")
    assert "'t'" in done.stderr
    assert "stabilizer" in done.stderr
    (job,) = working.json("run", path, "--method", "statevector", "--shots", "5")["jobs"]
    assert job["status"] == "DONE"


def test_no_transpile_refuses_what_would_have_to_be_translated(working: CommandLine, tmp_path: Path) -> None:
    own_gate = BELL.replace("qreg", "gate mine a { h a; }\nqreg").replace("h q[0];", "mine q[0];")
    path = write(tmp_path, "own.qasm", own_gate)
    assert working("run", path, "--shots", "5").returncode == 0
    done = working("submit", path, "--no-transpile")
    assert (done.returncode, done.stdout) == (6, "")
    assert "mine" in done.stderr


def test_amounts_of_memory_are_read_with_their_units(working: CommandLine, tmp_path: Path) -> None:
    wide = write(tmp_path, "wide.qasm", BELL.replace("[2]", "[20]").replace("cx ", "t q;\ncx q,q[1];\n//"))
    wide.write_text(
        'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[20];\ncreg c[20];\nh q;\nt q;\nh q;\nmeasure q -> c;\n'
    )
    refused = working("submit", wide, "--max-memory", "8MiB")
    assert refused.returncode == 6
    assert "16 MiB" in refused.stderr
    assert working("run", wide, "--max-memory", "0.5G", "--shots", "1").returncode == 0
