"""Jobs of a group, taken together: where they are, waiting for them, their results, and what is done with them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aerjob_cli.api.requests import Plan
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.jobs import find
from aerjob_cli.store.records import JobRecord
from tests.cli.conftest import BAD, Put, Quick
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.staging import Stage

HOSTILE = "\x1b]0;owned\x07g"
NONE = {"initializing": 0, "validating": 0, "queued": 0, "running": 0, "done": 0, "error": 0, "cancelled": 0}


@pytest.fixture
def stage(idle: CommandLine) -> Iterator[Stage]:
    with Stage(StorePaths(idle.home)) as opened:
        yield opened


def ids(*jobs: JobRecord) -> list[str]:
    return [job.job_id for job in jobs]


def listed(quick: Quick, *arguments: str) -> list[str]:
    return [job["job_id"] for job in quick.json("list", *arguments)["jobs"]]


def test_from_a_file_to_the_group_and_its_results(working: CommandLine) -> None:
    for name in ("a", "b", "c"):
        (working.folder / f"{name}.qasm").write_text(BAD if name == "c" else BELL)
    submitted = working.json("submit", "a.qasm", "b.qasm", "c.qasm", "--group", "sweep", "--shots", "50", exit_code=6)
    assert [job["group"] for job in submitted["jobs"]] == ["sweep"] * 3
    alone = working.json("submit", "a.qasm")["jobs"][0]
    assert alone["group"] is None

    waited = working("wait", "--group", "sweep")
    names = {job["job_id"]: job["name"] for job in submitted["jobs"]}
    ends = dict(line.split("\t") for line in waited.stdout.splitlines())
    assert {names[job_id]: end for job_id, end in ends.items()} == {"a": "DONE", "b": "DONE", "c": "ERROR"}
    assert waited.returncode == 1

    state = working.json("status", "--group", "sweep")["group"]
    assert (state["status"], state["jobs"]) == ("ERROR", NONE | {"done": 2, "error": 1})
    assert (state["experiments_done"], state["experiments_total"], state["eta_s"]) == (2, 2, None)
    assert state["elapsed_s"] > 0

    answer = working.json("result", "--group", "sweep", exit_code=1)
    assert [(job["name"], job["complete"]) for job in answer["jobs"]] == [("a", True), ("b", True), ("c", False)]
    counts = [experiment["counts"] for job in answer["jobs"] for experiment in job["experiments"]]
    assert [sum(outcome.values()) for outcome in counts] == [50, 50]
    table = working("result", "--group", "sweep", "--format", "csv", "-o", "all.csv")
    assert (table.returncode, table.stdout) == (1, "")
    assert "index 7 is out-of-range" in table.stderr
    rows = list(csv.DictReader(io.StringIO((working.folder / "all.csv").read_text())))
    assert {(row["name"], row["outcome"], int(row["count"])) for row in rows} == {
        (name, bits, count) for name, outcome in zip("ab", counts, strict=True) for bits, count in outcome.items()
    }
    assert "# " in working("result", "--group", "sweep").stdout

    retried = working("retry", "--failed", "--group", "sweep")
    (again,) = retried.stdout.split()
    (failed,) = (job_id for job_id, name in names.items() if name == "c")
    assert retried.stderr == f"job {again} is job {failed} once more\n"
    assert working.json("status", again)["jobs"][0]["group"] == "sweep"


def test_the_states_are_summed_up(quick: Quick, put: Put, stage: Stage) -> None:
    def state() -> dict[str, Any]:
        value: dict[str, Any] = quick.json("status", "--group", "g")["group"]
        return value | {"counted": {key: count for key, count in value["jobs"].items() if count}}

    put()
    first = put(group="g")
    second = put(group="g", plan=Plan(4, 1))
    fresh = state()
    assert (fresh["status"], fresh["counted"]) == ("QUEUED", {"initializing": 1, "queued": 1})
    assert (fresh["jobs_total"], fresh["jobs_ended"]) == (2, 0)
    assert (fresh["experiments_done"], fresh["experiments_total"], fresh["elapsed_s"]) == (0, None, None)
    assert "has not begun" in quick("status", "--group", "g")[1]

    assert quick("cancel", first.job_id)[0] == 0
    assert state()["experiments_total"] == 4
    stage.start(second)
    assert (state()["status"], state()["eta_s"]) == ("RUNNING", None)
    stage.record(second, 0, 1)
    running = state()
    assert (running["experiments_done"], running["jobs_ended"]) == (2, 1)
    # Half of it is done.
    assert running["eta_s"] == pytest.approx(running["elapsed_s"])
    stdout = quick("status", "--group", "g")[1]
    assert stdout.startswith("g\tRUNNING\t1/2 jobs\t2/4 experiments\t1 RUNNING, 1 CANCELLED\truns for ")
    assert "s left\n" in stdout

    stage.record(second, 2, 3)
    stage.finish(second)
    assert (state()["status"], state()["jobs_ended"], state()["eta_s"]) == ("CANCELLED", 2, None)
    assert quick("rm", first.job_id)[0] == 0
    assert (state()["status"], state()["experiments_done"]) == ("DONE", 4)


def test_a_terminal_shows_the_group_in_few_lines(idle: CommandLine, put: Put) -> None:
    put(group=HOSTILE)
    put(group=HOSTILE, plan=Plan(1, 1))
    with PseudoTerminal(idle, "status", "--group", HOSTILE) as terminal:
        assert terminal.end() == 0
        shown = [line for line in terminal.lines if line]
        assert len(shown) == 3
        assert "0/2 jobs" in shown[0]
        assert "1 INITIALIZING, 1 QUEUED" in shown[1]
        assert "0/? experiments, has not begun" in shown[2]
        assert b"\x1b]0" not in terminal.sent


def test_what_is_done_with_a_group_leaves_others_alone(quick: Quick, put: Put, stage: Stage) -> None:
    done, queued, waiting = (put(group="g", plan=plan) for plan in (Plan(1, 1), Plan(1, 1), None))
    other = put(group="other", plan=Plan(1, 1))
    stage.run_through(done)
    assert listed(quick, "--group", "g") == ids(waiting, queued, done)
    assert listed(quick, "--group", "g", "--status", "done") == ids(done)
    assert listed(quick, "--group", "g", "-n", "1", "--sort", "name") == ids(done)
    assert quick("list", "--group", "g", "--columns", "id,group", "-n", "1")[1] == f"{waiting.job_id}\tg\n"

    assert [job["tags"] for job in quick.json("tag", "--group", "g", "--add", "t")["jobs"]] == [["t"]] * 3
    rehearsed = quick.json("cancel", "--group", "g", "--dry-run")["jobs"]
    assert [job["job_id"] for job in rehearsed] == ids(queued, waiting)
    assert [job["job_id"] for job in quick.json("cancel", "--group", "g")["jobs"]] == ids(queued, waiting)
    assert quick("wait", "--group", "g")[0] == 4
    assert quick.json("cancel", "--group", "g", exit_code=3)["error"]["code"] == "nothing_matched"
    assert quick.json("rm", "--group", "g", "--yes")["job_ids"] == ids(done, queued, waiting)
    assert listed(quick) == ids(other)
    told = f"job {other.job_id} has not finished, it is QUEUED\n"
    assert quick("result", "--group", "other") == (8, "", told)
    assert quick("result", "--group", "other", "--partial") == (0, "", told)
    assert quick.json("status", other.job_id)["jobs"][0]["status"] == "QUEUED"


def test_what_failed_is_tried_again_once(quick: Quick, put: Put, stage: Stage) -> None:
    jobs = [put(group="g", plan=Plan(1, 1)) for _ in range(3)]
    for job in jobs[:2]:
        stage.start(job)
        stage.fail(job)
    first = quick.json("retry", "--failed", "--group", "g")["jobs"]
    assert [(job["retry_of"], job["group"]) for job in first] == [(job.job_id, "g") for job in jobs[:2]]
    # Whoever says it again means what has failed since.
    assert quick.json("retry", "--failed", "--group", "g", exit_code=3)["error"]["code"] == "nothing_matched"
    stage.run_through(jobs[2])
    with stage.store.reading() as tx:
        again = find(tx, first[0]["job_id"])
    stage.start(again)
    stage.fail(again)
    second = quick.json("retry", "--failed", "--group", "g")["jobs"]
    assert [job["retry_of"] for job in second] == [again.job_id]


@pytest.mark.parametrize(
    "arguments",
    [
        *(("status",), ("status", "last", "--group", "g"), ("wait",), ("wait", "last", "--group", "g")),
        *(("result",), ("result", "last", "--group", "g"), ("retry", "last", "--group", "g")),
        *(("retry", "last", "--failed"), ("retry", "--failed"), ("rm", "last", "--group", "g")),
        *(("tag", "last", "--group", "g", "--add", "t"), ("cancel", "last", "--group", "g")),
        *(("result", "--group", "g", "--format", "npy"), ("result", "--group", "g", "--format", "qiskit")),
        *(
            ("result", "--group", "g", "--experiment", "0"),
            ("result", "last", "last", "--format", "csv", "--array", "x"),
        ),
    ],
    ids=" ".join,
)
def test_what_does_not_say_which_jobs_or_what_of_them(quick: Quick, put: Put, arguments: tuple[str, ...]) -> None:
    job = put(group="g")
    exit_code, stdout, stderr = quick(*arguments)
    assert (exit_code, stdout, len(stderr.splitlines())) == (2, "", 1)
    assert quick.json("list")["jobs"][0]["status"] == "INITIALIZING"
    assert listed(quick) == ids(job)


@pytest.mark.parametrize(
    "arguments",
    [
        "status",
        "wait",
        "cancel",
        "cancel --dry-run",
        "result",
        "retry",
        "retry --failed",
        "rm",
        "rm --yes",
        "tag --add t",
    ],
)
def test_a_group_that_no_job_is_in(quick: Quick, put: Put, arguments: str) -> None:
    put(group="gg")
    put(name="g", tags=("g",))
    error = quick.json(*arguments.split(), "--group", "g", exit_code=3)["error"]
    assert (error["code"], error["group"]) == ("group_not_found", "g")
    assert len(listed(quick)) == 2
    # A list of none is no error, as for any other filter.
    assert listed(quick, "--group", "g") == []


def test_a_group_has_a_name_like_any_other(aerjob: CommandLine) -> None:
    (aerjob.folder / "bell.qasm").write_text(BELL)
    for name in ("", "x" * 1001):
        done = aerjob("submit", "bell.qasm", "--group", name, "--json")
        assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (6, "input_refused")
    assert aerjob.json("list")["jobs"] == []


def test_results_of_several_ids(quick_working: Quick, bell: Path) -> None:
    first = quick_working.json("submit", str(bell), "--shots", "5")["jobs"][0]["job_id"]
    state = quick_working.json("submit", str(bell), "--backend", "sampler")["jobs"][0]["job_id"]
    answer = quick_working.json("result", first, state[:13], first, "--wait")
    assert [(job["job_id"], job["complete"]) for job in answer["jobs"]] == [(first, True), (state, True)]
    value = quick_working.json("submit", str(bell), "--observable", "ZZ", "--wait")["jobs"][0]["job_id"]
    _, stdout, stderr = quick_working("result", value, first, "--format", "csv")
    assert {row["job_id"] for row in csv.DictReader(io.StringIO(stdout))} == {first}
    assert f"job {value} has no counts" in stderr
    assert "value" in quick_working("result", value, value, "--format", "csv", "--top", "1")[1]
