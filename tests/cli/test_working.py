"""The command line with a worker behind it: one for all tests of this module, started by the first submission."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.support.circuits import BELL, ENDLESS
from tests.support.command_line import CommandLine


def test_submit_wait_result(working: CommandLine, bell: Path) -> None:
    submitted = working("submit", bell, "--shots", "500", "--seed", "7", "--name", "pair", "--tag", "t")
    assert submitted.returncode == 0
    job_id = submitted.stdout.strip()
    assert (len(job_id), submitted.stderr) == (36, "")

    waited = working("wait", job_id, "--timeout", "2m")
    assert (waited.returncode, waited.stdout, waited.stderr) == (0, f"{job_id}\tDONE\n", "")

    value = working.json("result", job_id[:13])
    (experiment,) = value["experiments"]
    assert value["job_id"] == job_id
    assert (experiment["shots"], experiment["seed"]) == (500, 7)
    assert sum(experiment["counts"].values()) == 500
    assert set(experiment["counts"]) == {"00", "11"}
    assert "memory" not in experiment
    assert json.loads(working("result", job_id, "--format", "json").stdout) == value

    table = working("result", job_id, "--format", "table", env={"AERJOB_OUTPUT": "json"})
    assert [line.split("\t") for line in table.stdout.splitlines()] == [
        [bits, str(count)] for bits, count in experiment["counts"].items()
    ]
    counts = list(experiment["counts"].values())
    assert counts == sorted(counts, reverse=True)


def test_the_memory_of_shots_is_given_to_those_who_asked(working: CommandLine, bell: Path) -> None:
    (job,) = working.json("run", bell, "--memory", "--shots", "20")["jobs"]
    (experiment,) = job["experiments"]
    assert len(experiment["memory"]) == 20
    assert set(experiment["memory"]) <= {"00", "11"}


def test_what_measures_nothing_is_measured_on_request(working: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "unmeasured.qasm"
    path.write_text(BELL.replace("measure q -> c;", ""))
    refused = working("run", path)
    assert (refused.returncode, refused.stdout) == (6, "")
    assert "--measure-all" in refused.stderr
    (job,) = working.json("run", path, "--measure-all")["jobs"]
    assert job["name"] == "unmeasured"
    # measure_all() adds a register of its own, as in Qiskit.
    assert set(job["experiments"][0]["counts"]) == {"00 00", "11 00"}


def test_what_measures_is_left_alone_by_measure_all(working: CommandLine, bell: Path) -> None:
    (job,) = working.json("run", bell, "--measure-all")["jobs"]
    assert set(job["experiments"][0]["counts"]) == {"00", "11"}


def test_a_circuit_from_stdin(working: CommandLine) -> None:
    done = working("run", "-", "--quiet", input=BELL)
    assert (done.returncode, done.stderr) == (0, "")
    assert {line.split("\t")[0] for line in done.stdout.splitlines()} == {"00", "11"}


def test_a_refused_circuit(working: CommandLine, bad: Path) -> None:
    done = working("submit", bad)
    assert (done.returncode, done.stdout) == (6, "")
    (line,) = done.stderr.splitlines()
    assert "bad.qasm" in line
    assert "line 6" in line
    assert "column 11" in line

    value = working.json("submit", bad, exit_code=6)
    assert value["error"]["code"] == "circuit_refused"
    refused_first = working.json("list", "--limit", "2")["jobs"][1]["job_id"]
    assert line == f"aerjob: {value['error']['message']} (job {refused_first})"
    assert [(job["status"], job["reason"]) for job in value["jobs"]] == [("ERROR", "INVALID_CIRCUIT")]
    job_id = value["jobs"][0]["job_id"]
    shown = working.json("show", job_id)
    assert (shown["error_line"], shown["error_column"]) == (6, 11)

    waited = working("wait", job_id)
    assert (waited.returncode, waited.stdout) == (1, f"{job_id}\tERROR\n")
    assert "INVALID_CIRCUIT" in waited.stderr
    result = working("result", job_id)
    assert (result.returncode, result.stdout) == (1, "")
    assert "line 6" in result.stderr
    assert working.json("result", job_id, exit_code=1)["error"]["reason"] == "INVALID_CIRCUIT"


@pytest.mark.parametrize(
    "text",
    [
        BELL[:20],
        BELL[:40],
        "\n",
        BELL.replace("h q[0];", "no_such_gate q[0];"),
        BELL.replace("q[2]", "q[18446744073709551616]"),
        BELL.replace("qelib1.inc", "/etc/passwd"),
        BELL.replace("measure q -> c;", ""),
        BELL.replace("h q[0];", "h q[0]; \x1b[31m"),
        BELL.replace("h q[0];", "h q[0/"),
        "OPENQASM 3.0;\nqubit q;\n",
    ],
)
def test_other_circuits_that_are_refused(working: CommandLine, tmp_path: Path, text: str) -> None:
    (tmp_path / "x.qasm").write_text(text)
    done = working("submit", "x.qasm")
    assert (done.returncode, done.stdout) == (6, "")
    assert len(done.stderr.splitlines()) == 1
    assert "\x1b" not in done.stderr
    assert "Traceback" not in done.stderr


def test_invalid_utf8(working: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "x.qasm").write_bytes(BELL.encode() + b"\xff\xfe")
    done = working("submit", "x.qasm")
    assert (done.returncode, done.stdout) == (6, "")
    assert "UTF-8" in done.stderr


def test_several_files_are_several_jobs(working: CommandLine, bell: Path, bad: Path) -> None:
    done = working("submit", bell, bad, bell, "--tag", "several")
    assert done.returncode == 6
    assert len(done.stdout.splitlines()) == 2
    assert len(done.stderr.splitlines()) == 1
    assert len(working.json("list", "--tag", "several")["jobs"]) == 3
    assert working("wait", *done.stdout.split()).returncode == 0

    everything = [job["job_id"] for job in working.json("list", "--tag", "several")["jobs"]]
    waited = working("wait", *everything, "--json")
    assert waited.returncode == 1
    ended = [json.loads(line) for line in waited.stdout.splitlines()]
    assert {job["job_id"] for job in ended} == set(everything)
    assert all(job["schema_version"] == 1 for job in ended)


def test_run_prints_the_results_and_tells_the_ids(working: CommandLine, bell: Path, bad: Path) -> None:
    done = working("run", bell)
    assert done.returncode == 0
    assert {line.split("\t")[0] for line in done.stdout.splitlines()} == {"00", "11"}
    (line,) = done.stderr.splitlines()
    assert working("status", line.removeprefix("job ")).returncode == 0

    value = working.json("run", bell, bad, bell, exit_code=6)
    assert [len(job["experiments"]) for job in value["jobs"]] == [1, 0, 1]
    assert value["error"]["code"] == "circuit_refused"


def test_submit_that_waits(working: CommandLine, bell: Path, bad: Path) -> None:
    done = working("submit", bell, "--wait", "--timeout", "2m")
    assert (done.returncode, len(done.stdout.splitlines()), done.stderr) == (0, 1, "")
    (job,) = working.json("submit", bell, "--wait")["jobs"]
    assert job["status"] == "DONE"
    refused = working("submit", bad, "--wait")
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (6, "", 1)


def test_a_repeated_key_gives_the_same_job(working: CommandLine, bell: Path, bad: Path) -> None:
    first = working("submit", bell, "--idempotency-key", "once")
    again = working("submit", bell, "--idempotency-key", "once")
    assert first.stdout == again.stdout != ""
    conflict = working("submit", bad, "--idempotency-key", "once")
    assert (conflict.returncode, conflict.stdout) == (6, "")


def test_cancelling_a_running_job(working: CommandLine, tmp_path: Path, bell: Path) -> None:
    (tmp_path / "endless.qasm").write_text(ENDLESS)
    job_id = working("submit", "endless.qasm").stdout.strip()
    assert working("wait", job_id, "--timeout", "200ms").returncode == 124
    short_id = working("submit", bell).stdout.strip()
    waited = working("wait", job_id, short_id, "--any")
    assert (waited.returncode, waited.stdout) == (0, f"{short_id}\tDONE\n")

    (job,) = working.json("cancel", job_id)["jobs"]
    assert (job["status"], job["reason"]) == ("CANCELLED", "USER_CANCELLED")
    assert working("wait", job_id).returncode == 4
    assert working("wait", job_id, short_id).returncode == 4
    assert working.json("result", job_id, exit_code=4)["error"]["code"] == "job_cancelled"
    done = working("cancel", short_id)
    assert done.returncode == 0
    assert "DONE" in done.stderr


def test_a_signal_ends_run_and_not_its_job(working: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "endless.qasm").write_text(ENDLESS)
    process = working.start("run", "endless.qasm")
    assert process.stderr is not None
    job_id = process.stderr.readline().strip().removeprefix("job ")
    process.send_signal(signal.SIGTERM)
    stdout, _ = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (143, "")
    assert working.json("status", job_id)["jobs"][0]["status"] in ("INITIALIZING", "VALIDATING", "QUEUED", "RUNNING")
    assert working("cancel", job_id).returncode == 0
