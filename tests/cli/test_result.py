"""`result` in every format, with a worker behind it: what is written is what the simulator gave, and only that."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm2, qpy
from qiskit.quantum_info import Clifford, Operator, Statevector
from qiskit.result import Result

from tests.cli.conftest import Put
from tests.support.circuits import BELL, ENDLESS
from tests.support.command_line import DEADLINE_S, CommandLine
from tests.support.pseudo_terminal import PseudoTerminal

# Every amplitude has a magnitude and a phase of its own.
STATE = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[3];
u3(0.5,1,2) q[0];
u3(1.5,2,2) q[1];
u3(2.1,0.3,2) q[2];
cx q[0],q[2];
"""
# 512 outcomes that are about equally frequent.
WIDE = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[9];
creg c[9];
h q;
measure q -> c;
"""
# What a spreadsheet, a terminal or a careless writer of CSV would take for something else.
NAMES = ("=1+1", 'two "words", and\r\na line', "量子 \x1b[31m")


@dataclass(frozen=True)
class Jobs:
    """The ids of jobs that have ended."""

    counts: str
    wide: str
    several: str
    state: str
    unitary: str
    stabilizer: str
    mps: str
    many: str


@pytest.fixture(scope="module")
def jobs(working_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    folder = tmp_path_factory.mktemp("circuits")
    aerjob = CommandLine(working_home, folder)
    for name, text in (("bell", BELL), ("state", STATE), ("wide", WIDE)):
        (folder / f"{name}.qasm").write_text(text)
    circuits = []
    for number, name in enumerate(NAMES):
        circuit = QuantumCircuit(2, 2, name=name)
        circuit.rx(number, 0)
        circuit.measure([0, 1], [0, 1])
        circuits.append(circuit)
    with open(folder / "several.qpy", "wb") as file:
        qpy.dump(circuits, file)
    with open(folder / "many.qpy", "wb") as file:
        qpy.dump([QuantumCircuit.from_qasm_str(WIDE)] * 5, file)

    def submitted(*arguments: str) -> str:
        done = aerjob("submit", "--quiet", *arguments)
        assert done.returncode == 0, done
        return done.stdout.strip()

    aer = ("state.qasm", "--backend", "aer_simulator", "--save-state", "--method")
    found = Jobs(
        counts=submitted("bell.qasm", "--shots", "1000", "--seed", "7"),
        wide=submitted("wide.qasm", "--shots", "4000", "--seed", "7"),
        several=submitted("several.qpy", "--shots", "200", "--seed", "7"),
        state=submitted("state.qasm", "--backend", "statevector_simulator"),
        unitary=submitted("state.qasm", "--backend", "unitary_simulator"),
        stabilizer=submitted("bell.qasm", "--backend", "aer_simulator", "--save-state", "--method", "stabilizer"),
        mps=submitted(*aer, "matrix_product_state"),
        many=submitted("many.qpy", "--shots", "100"),
    )
    assert aerjob("wait", *vars(found).values(), "--timeout", "2m").returncode == 0
    return found


def result(aerjob: CommandLine, *arguments: str | Path) -> bytes:
    """Give what `result` writes to a pipe, byte for byte."""
    done = aerjob.in_bytes("result", *arguments)
    assert done.returncode == 0, done
    return done.stdout


def refusal(aerjob: CommandLine, *arguments: str | Path) -> str:
    """Give the sentence of a `result` that is refused as a matter of usage; nothing is on stdout."""
    done = aerjob("result", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("aerjob: ")
    return line


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


# --- tables and JSON


@pytest.mark.parametrize("form", ["csv", "qiskit", "json"])
def test_no_format_acts_on_a_terminal(working: CommandLine, jobs: Jobs, form: str) -> None:
    with PseudoTerminal(working, "result", jobs.several, "--format", form, columns=200) as terminal:
        assert terminal.end() == 0
    assert "量子".encode() in terminal.sent or b"\\u91cf" in terminal.sent
    assert b"\x1b" not in terminal.sent


def test_json_has_all_that_was_asked_for(working: CommandLine, jobs: Jobs) -> None:
    value = working.json("result", jobs.state)
    assert value["complete"] is True
    (experiment,) = value["experiments"]
    assert (experiment["index"], experiment["name"], experiment["counts"]) == (0, "state", None)
    (array,) = experiment["arrays"]
    assert (array["name"], array["shape"], array["dtype"]) == ("statevector", [8], "complex128")
    assert array["size_bytes"] > 8 * 16
    assert "largest" not in array

    (array,) = working.json("result", jobs.state, "--top", "3")["experiments"][0]["arrays"]
    state = expected_state()
    order = np.argsort(-np.abs(state))[:3]
    assert [element["index"] for element in array["largest"]] == [[index] for index in order]
    assert [element["state"] for element in array["largest"]] == [f"{index:03b}" for index in order]
    for element in array["largest"]:
        amplitude = complex(*element["value"])
        assert amplitude == pytest.approx(state[element["index"][0]])
        assert element["probability"] == pytest.approx(abs(amplitude) ** 2)
    assert array["left_out"] == 5
    assert array["norm"] == pytest.approx(1)


def test_json_of_other_data(working: CommandLine, jobs: Jobs) -> None:
    (experiment,) = working.json("result", jobs.mps)["experiments"]
    names = {array["name"] for array in experiment["arrays"]}
    tensors, bonds = experiment["data"]["matrix_product_state"]
    assert (len(tensors), len(bonds)) == (3, 2)
    assert {part["array"] for pair in tensors for part in pair} | {bond["array"] for bond in bonds} == names


def test_top_counts(working: CommandLine, jobs: Jobs) -> None:
    everything = working.json("result", jobs.wide)["experiments"][0]["counts"]
    (experiment,) = working.json("result", jobs.wide, "--top", "5")["experiments"]
    assert list(experiment["counts"].items()) == list(everything.items())[:5]
    rest = list(everything.values())[5:]
    assert experiment["left_out"] == {"outcomes": len(rest), "count": sum(rest)}

    done = working("result", jobs.wide, "--top", "5")
    assert done.stdout == "".join(f"{bits}\t{count}\n" for bits, count in experiment["counts"].items())
    (line,) = done.stderr.splitlines()
    assert f"{len(rest)} rarer outcomes, counted {sum(rest)} times" in line
    assert len(working("result", jobs.wide).stdout.splitlines()) == len(everything)

    told = working("result", jobs.many, "--top", "1").stderr.splitlines()
    assert [("rarer outcome" in line, "other experiments" in line) for line in told] == [(True, False)] * 3 + [
        (False, True)
    ]
    assert len(rows(result(working, jobs.wide, "--format", "csv", "--top", "5"))) == 5


def test_plain_lines_of_arrays(working: CommandLine, jobs: Jobs) -> None:
    done = working("result", jobs.state, "--top", "2")
    first, _ = (line.split("\t") for line in done.stdout.splitlines())
    state = expected_state()
    best = int(np.argmax(np.abs(state)))
    assert first[0] == f"{best:03b}"
    assert complex(float(first[1]), float(first[2])) == pytest.approx(state[best])
    assert float(first[3]) == pytest.approx(abs(state[best]) ** 2)
    assert "6 other basis states" in done.stderr

    row, column, real, imaginary = working("result", jobs.unitary, "--top", "1").stdout.split("\t")
    unitary = Operator(qasm2.loads(STATE)).data
    element = complex(float(real), float(imaginary))
    assert element == pytest.approx(unitary[int(row, 2), int(column, 2)])
    assert abs(element) == pytest.approx(np.abs(unitary).max())


def test_summaries_of_what_is_no_table(working: CommandLine, jobs: Jobs) -> None:
    lines = working("result", jobs.mps).stdout.splitlines()
    assert lines == ["matrix_product_state\tmatrix product state of 3 qubits, bond dimensions 2, 2"]
    lines = working("result", jobs.stabilizer).stdout.splitlines()
    assert [line for line in lines if line.startswith("#")] == ["# counts", "# data"]
    assert lines[-1].startswith("stabilizer\tStabilizerState of 2 qubits: ")


def test_several_experiments(working: CommandLine, jobs: Jobs) -> None:
    everything = working.json("result", jobs.several)["experiments"]
    assert [(item["index"], item["name"]) for item in everything] == list(enumerate(NAMES))
    some = working.json("result", jobs.several, "--experiment", "2", "--experiment", "0")
    assert some["experiments"] == [everything[0], everything[2]]
    assert some["complete"] is True
    lines = working("result", jobs.several).stdout.splitlines()
    assert len([line for line in lines if line.startswith(f"# {jobs.several} ")]) == 3
    assert "\x1b" not in "".join(lines)
    (only,) = working.json("result", jobs.several, "--experiment", "1")["experiments"]
    alone = working("result", jobs.several, "--experiment", "1").stdout
    assert alone == "".join(f"{bits}\t{count}\n" for bits, count in only["counts"].items())


@pytest.mark.parametrize("index", ["3", "-1", "99999999999999999999"])
def test_an_experiment_that_is_not_there(working: CommandLine, jobs: Jobs, index: str) -> None:
    assert "experiments 0 to 2" in refusal(working, jobs.several, "--experiment", index)
    error = working.json("result", jobs.several, f"--experiment={index}", exit_code=2)["error"]
    assert (error["code"], error["experiments_total"]) == ("no_such_experiment", 3)


def test_a_terminal_shows_bars(working: CommandLine, jobs: Jobs) -> None:
    counts = working.json("result", jobs.counts)["experiments"][0]["counts"]
    for encoding, block in (("utf-8", "█"), ("ascii", "#")):
        with PseudoTerminal(working, "result", jobs.counts, env={"PYTHONIOENCODING": encoding}) as terminal:
            assert terminal.end() == 0
            table = [line.split() for line in terminal.lines if line[:2] in counts]
        assert [[bits, int(count), float(percent)] for bits, count, percent, _ in table] == [
            [bits, count, round(count / 10, 1)] for bits, count in counts.items()
        ]
        assert table[0][3].strip(block) == ""
        longest, other = (len(bar) for *_, bar in table)
        assert other / longest == pytest.approx(min(counts.values()) / max(counts.values()), abs=1 / longest)

    with PseudoTerminal(working, "result", jobs.wide, lines=60) as terminal:
        assert terminal.end() == 0
        shown = [line for line in terminal.lines if line[:9].strip("01") == "" and line]
        assert len(shown) == 32
        assert "rarer outcomes, counted" in terminal.text
    with PseudoTerminal(working, "result", jobs.unitary, "--top", "4") as terminal:
        assert terminal.end() == 0
        assert "unitary: complex128, 8 x 8" in terminal.text
        assert "60 other elements" in terminal.text


# --- the formats of other programs


def expected_state() -> np.ndarray[Any, Any]:
    data: np.ndarray[Any, Any] = Statevector(qasm2.loads(STATE)).data
    return data


def test_npy_is_the_array_bit_for_bit(working: CommandLine, jobs: Jobs) -> None:
    data = result(working, jobs.state, "--format", "npy")
    state = np.load(io.BytesIO(data), allow_pickle=False)
    assert state.dtype == np.complex128
    assert np.allclose(state, expected_state())
    result(working, jobs.state, "--format", "npy", "-o", "state.npy")
    assert (working.folder / "state.npy").read_bytes() == data
    assert result(working, jobs.state, "--format", "npy", "--array", "statevector") == data
    unitary = np.load(io.BytesIO(result(working, jobs.unitary, "--format", "npy")))
    assert np.allclose(unitary, Operator(qasm2.loads(STATE)).data)


def test_npy_of_what_is_no_single_array(working: CommandLine, jobs: Jobs) -> None:
    line = refusal(working, jobs.counts, "--format", "npy")
    assert "its result is counts" in line
    assert "array 'other'; it has statevector" in refusal(working, jobs.state, "--format", "npy", "--array", "other")
    assert "name it with --array" in refusal(working, jobs.mps, "--format", "npy")
    with PseudoTerminal(working, "result", jobs.state, "--format", "npy", columns=200) as terminal:
        assert terminal.end() == 2
        assert b"NUMPY" not in terminal.sent
        assert "--output" in terminal.text


def test_csv_of_counts(working: CommandLine, jobs: Jobs) -> None:
    data = result(working, jobs.several, "--format", "csv")
    assert data.startswith(b"job_id,experiment,name,outcome,count,probability\r\n")
    expected = [
        {
            "job_id": jobs.several,
            "experiment": str(item["index"]),
            "name": item["name"],
            "outcome": bits,
            "count": str(count),
            "probability": repr(count / 200),
        }
        for item in working.json("result", jobs.several)["experiments"]
        for bits, count in item["counts"].items()
    ]
    assert rows(data) == expected


def test_csv_of_arrays(working: CommandLine, jobs: Jobs) -> None:
    unitary = np.load(io.BytesIO(result(working, jobs.unitary, "--format", "npy")))
    found = rows(result(working, jobs.unitary, "--format", "csv"))
    assert list(found[0]) == ["job_id", "experiment", "name", "array", "index_0", "index_1", "real", "imag"]
    assert [(int(row["index_0"]), int(row["index_1"])) for row in found] == list(np.ndindex(8, 8))
    back = np.array([complex(float(row["real"]), float(row["imag"])) for row in found]).reshape(8, 8)
    assert np.array_equal(back, unitary)
    (row,) = rows(result(working, jobs.unitary, "--format", "csv", "--top", "1"))
    assert abs(unitary[int(row["index_0"]), int(row["index_1"])]) == pytest.approx(np.abs(unitary).max())
    # Arrays of one axis beside those of two.
    found = rows(result(working, jobs.mps, "--format", "csv"))
    assert {row["index_1"] for row in found if row["array"].startswith("matrix_product_state.1")} == {""}


def test_csv_of_counts_tells_of_arrays(working: CommandLine, jobs: Jobs) -> None:
    done = working("result", jobs.stabilizer, "--format", "csv")
    assert done.returncode == 0
    assert "outcome" in done.stdout.splitlines()[0]
    assert "--array" in done.stderr


def test_qiskit_reads_its_own_format(working: CommandLine, jobs: Jobs) -> None:
    def read(job_id: str) -> Result:
        return Result.from_dict(json.loads(result(working, job_id, "--format", "qiskit")))

    counts = read(jobs.counts)
    assert (counts.success, counts.job_id) == (True, jobs.counts)
    assert counts.get_counts() == working.json("result", jobs.counts)["experiments"][0]["counts"]
    assert [item.header["name"] for item in read(jobs.several).results] == list(NAMES)
    stored = np.load(io.BytesIO(result(working, jobs.state, "--format", "npy")))
    assert np.array_equal(read(jobs.state).get_statevector(), stored)
    stored = np.load(io.BytesIO(result(working, jobs.unitary, "--format", "npy")))
    assert np.array_equal(read(jobs.unitary).get_unitary(), stored)
    stabilizer = Clifford.from_dict(read(jobs.stabilizer).data()["stabilizer"])
    assert stabilizer.num_qubits == 2


def test_formats_that_exclude_each_other(working: CommandLine, jobs: Jobs) -> None:
    assert (
        "--json and --format csv"
        in working.json("result", jobs.counts, "--format", "csv", exit_code=2)["error"]["message"]
    )
    assert "--top" in refusal(working, jobs.state, "--format", "npy", "--top", "3")
    assert "--array" in refusal(working, jobs.state, "--array", "statevector")
    assert "--top" in refusal(working, jobs.counts, "--top", "0")
    done = working("result", jobs.counts, "--format", "csv", env={"AERJOB_OUTPUT": "json"})
    assert done.stdout.startswith("job_id,")


HEAVY = ("qiskit", "qiskit_aer", "matplotlib", "alembic")


@pytest.mark.parametrize(
    ("kind", "arguments", "unwanted"),
    [
        ("counts", ("--format", "csv"), (*HEAVY, "numpy", "rich")),
        ("counts", ("--json",), (*HEAVY, "numpy", "rich")),
        ("state", ("--json",), (*HEAVY, "numpy", "rich")),
        ("state", ("--format", "npy"), (*HEAVY, "numpy", "rich")),
        ("state", (), HEAVY),
        ("state", ("--format", "csv"), HEAVY),
    ],
)
def test_what_a_result_does_not_import(
    working: CommandLine, jobs: Jobs, kind: str, arguments: tuple[str, ...], unwanted: tuple[str, ...]
) -> None:
    program = """
import sys
sys.argv = ["aerjob", *sys.argv[1:]]
from aerjob_cli.__main__ import main
try:
    main()
finally:
    print(*sys.modules, file=open("modules", "w"))
"""
    subprocess.run(
        [sys.executable, "-c", program, "result", getattr(jobs, kind), *arguments],
        cwd=working.folder,
        env=working.environment(None),
        stdout=subprocess.DEVNULL,
        check=False,
        timeout=DEADLINE_S,
    )
    imported = {name.partition(".")[0] for name in (working.folder / "modules").read_text().split()}
    assert "typer" in imported
    assert imported.isdisjoint(unwanted)


# --- files


@pytest.mark.parametrize("form", ["table", "json", "csv", "qiskit"])
def test_a_file_has_what_a_pipe_has(working: CommandLine, jobs: Jobs, form: str) -> None:
    piped = result(working, jobs.several, "--format", form)
    assert result(working, jobs.several, "--format", form, "--output", "file") == b""
    assert (working.folder / "file").read_bytes() == piped
    assert result(working, jobs.several, "--format", form, "-o", "-") == piped
    assert [path.name for path in working.folder.iterdir()] == ["file"]


def test_an_existing_file_is_replaced_only_with_force(working: CommandLine, jobs: Jobs) -> None:
    file = working.folder / "there"
    file.write_text("mine")
    assert "--force" in refusal(working, jobs.counts, "-o", "there")
    error = working.json("result", jobs.counts, "-o", "there", exit_code=2)["error"]
    assert (error["code"], error["path"]) == ("output_exists", "there")
    assert file.read_text() == "mine"
    done = working("result", jobs.counts, "--json", "-o", "there", "--force")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads(file.read_text())["job_id"] == jobs.counts


def test_a_full_disk_leaves_the_old_file(working: CommandLine, jobs: Jobs) -> None:
    file = working.folder / "there"
    file.write_text("mine")
    # A limit on the size of files is met as a full disk is: in the middle of the writing.
    done = working.shell(f"ulimit -f 4; aerjob result {jobs.wide} --format csv -o there --force")
    assert (done.returncode, done.stdout) == (70, "")
    assert "there: File too large" in done.stderr
    assert file.read_text() == "mine"
    assert [path.name for path in working.folder.iterdir()] == ["there"]


def test_an_existing_file_is_seen_before_waiting(idle: CommandLine, put: Put) -> None:
    put()
    (idle.folder / "there").write_text("mine")
    assert idle("result", "last", "--wait", "-o", "there", timeout=60).returncode == 2


def test_a_reader_who_leaves_ends_the_writing(working: CommandLine, jobs: Jobs) -> None:
    done = working.shell(f"aerjob result {jobs.wide} --format csv | true; echo ${{PIPESTATUS[0]}}")
    assert (done.stdout, done.stderr) == ("0\n", "")


# --- a part of a result


def test_a_part_of_a_result(working: CommandLine) -> None:
    (working.folder / "bell.qasm").write_text(BELL)
    (working.folder / "endless.qasm").write_text(ENDLESS)
    job_id = working("submit", "bell.qasm", "endless.qasm", "--one-job", "--quiet").stdout.strip()
    deadline_s = time.monotonic() + DEADLINE_S
    while working.json("status", job_id)["jobs"][0]["experiments_done"] == 0:
        assert time.monotonic() < deadline_s
    assert working("result", job_id).returncode == 8
    assert working("result", job_id, "--experiment", "0").returncode == 8
    assert working("result", job_id, "--partial", "--experiment", "2").returncode == 2

    done = working("result", job_id, "--partial")
    assert done.returncode == 0
    heading, *lines = done.stdout.splitlines()
    assert heading.startswith(f"# {job_id} bell")
    assert {line.split("\t")[0] for line in lines} == {"00", "11"}
    assert "RUNNING" in done.stderr
    assert "1 of 2 experiments" in done.stderr
    value = working.json("result", job_id, "--partial")
    assert value["complete"] is False
    assert [item["index"] for item in value["experiments"]] == [0]
    assert "experiment 1" in working("result", job_id, "--partial", "--experiment", "1").stderr

    late = working("result", job_id, "--partial", "--timeout", "100ms", "--format", "csv", "-o", "part.csv")
    assert (late.returncode, late.stdout) == (124, "")
    assert len(rows((working.folder / "part.csv").read_bytes())) == 2
    late_json = working.json("result", job_id, "--partial", "--timeout", "100ms", exit_code=124)
    assert late_json["error"]["code"] == "wait_timed_out"
    assert len(late_json["experiments"]) == 1

    assert working("cancel", job_id).returncode == 0
    assert working("result", job_id).returncode == 4
    done = working("result", job_id, "--partial", "--format", "qiskit")
    assert done.returncode == 0
    assert "USER_CANCELLED" in done.stderr
    content = json.loads(done.stdout)
    assert (content["success"], content["status"], len(content["results"])) == (False, "PARTIAL COMPLETED", 1)


def test_nothing_is_stored_yet(idle: CommandLine, put: Put) -> None:
    put()
    value = idle.json("result", "last", "--partial")
    assert (value["complete"], value["experiments"]) == (False, [])
    done = idle("result", "last", "--partial", "--format", "csv")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert idle("result", "last", "--partial", "--format", "npy").returncode == 2
    assert idle("result", "last").returncode == 8
