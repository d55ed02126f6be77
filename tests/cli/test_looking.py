"""`status`, `list`, `wait --timeout` and `result` on jobs that nobody works on."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from aerjob_cli.api.requests import Plan
from aerjob_cli.settings import StorePaths
from aerjob_cli.store import cancels, claims
from aerjob_cli.store.records import JobRecord
from tests.cli.conftest import Put, Quick
from tests.support.command_line import CommandLine
from tests.support.staging import Stage

JOB_KEYS = [
    *("job_id", "status", "reason", "message", "attempt", "backend", "method", "shots", "seed", "name", "tags"),
    *("group", "submitted_at", "started_at", "finished_at", "imported_at", "experiments_done", "experiments_total"),
    *("waiting", "held", "waits_for", "begins_at", "reused_from", "on_end"),
]
PROGRESS_KEYS = [
    *("shots_done", "shots_total", "elapsed_s", "eta_s", "rss_bytes", "queue_position", "executor_pid"),
]


def _ids(value: dict[str, list[dict[str, str]]]) -> list[str]:
    return [job["job_id"] for job in value["jobs"]]


def test_an_empty_list_is_no_error(idle: CommandLine) -> None:
    done = idle("list")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert idle.json("list") == {"schema_version": 1, "jobs": []}


def test_the_keys_of_a_job(idle: CommandLine, put: Put) -> None:
    record = put(name="bell", tags=("b", "a"), shots=7, seed=3)
    (job,) = idle.json("status", record.job_id)["jobs"]
    assert list(job) == JOB_KEYS + PROGRESS_KEYS
    assert [job[key] for key in PROGRESS_KEYS] == [0, None, None, None, None, None, None]
    assert list(idle.json("list")["jobs"][0]) == JOB_KEYS
    assert job["tags"] == ["a", "b"]
    assert (job["status"], job["shots"], job["seed"], job["name"]) == ("INITIALIZING", 7, 3, "bell")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", job["submitted_at"])
    assert job["started_at"] is job["experiments_total"] is None


def _states_of_all_kinds(stage: Stage, put: Put) -> dict[str, JobRecord]:
    """Bring jobs into every state, by hand."""
    plan = Plan(4, 1)
    made = {"done": put(plan=Plan(1, 1))}
    stage.run_through(made["done"])
    made["failed"] = put(plan=plan)
    stage.start(made["failed"])
    stage.fail(made["failed"])
    made["cancelled"] = put(plan=plan)
    with stage.store.writing() as tx:
        cancels.request_cancel(tx, made["cancelled"].seq, now_us=stage.store.now_us(), message="wrong\nangle")
    made["running"] = put(plan=plan, shots=7)
    stage.start(made["running"], in_this_process=True)
    stage.record(made["running"], 0)
    made["second"], made["first"] = put(plan=plan), put(plan=plan, priority=1)
    made["validating"] = put()
    with stage.store.writing() as tx:
        claims.claim_validations(tx, "w", limit=1, now_us=stage.store.now_us())
    made["new"] = put()
    return made


def test_one_line_for_each_says_what_matters(quick: Quick, put: Put) -> None:
    with Stage(StorePaths(Path(os.environ["AERJOB_HOME"]))) as stage:
        made = _states_of_all_kinds(stage, put)
    exit_code, stdout, stderr = quick("status", *(job.job_id for job in made.values()))
    assert (exit_code, stderr) == (0, "")
    rows = [line.split("\t") for line in stdout.splitlines()]
    assert [row[0] for row in rows] == [job.job_id for job in made.values()]
    shown = {name: row[1:] for name, row in zip(made, rows, strict=True)}
    assert shown["done"][:2] == ["DONE", "1/1"]
    assert re.fullmatch(r"ran for [\d.]+s", shown["done"][2])
    assert shown["failed"] == ["ERROR", "0/4", "SIMULATION_FAILED: it failed"]
    assert shown["cancelled"] == ["CANCELLED", "0/4", "USER_CANCELLED: wrong angle"]
    assert shown["running"][:2] == ["RUNNING", "1/4"]
    assert re.fullmatch(r"runs for [\d.ms]+, about [\d.ms]+ left, \d+ MiB", shown["running"][2])
    assert shown["first"] == ["QUEUED", "0/4", "place 1 in the queue"]
    assert shown["second"] == ["QUEUED", "0/4", "place 2 in the queue"]
    assert shown["validating"][::2] == ["VALIDATING", "its circuits are being checked"]
    assert shown["new"] == ["INITIALIZING", "0/?", "its circuits have not been checked yet"]

    jobs = quick.json("status", *(job.job_id for job in made.values()))["jobs"]
    by_name = dict(zip(made, jobs, strict=True))
    running = by_name["running"]
    assert (running["shots_done"], running["shots_total"], running["executor_pid"]) == (7, 28, os.getpid())
    assert running["eta_s"] > running["elapsed_s"] > 0
    assert running["rss_bytes"] > 10_000_000
    assert by_name["second"]["queue_position"] == 2
    assert by_name["done"]["elapsed_s"] is not None
    assert by_name["done"]["executor_pid"] is by_name["done"]["rss_bytes"] is None
    assert by_name["new"]["elapsed_s"] is None


def test_a_list_is_the_newest_first_and_can_be_narrowed(idle: CommandLine, put: Put) -> None:
    first, second, third = put(name="one", tags=("x",)), put(tags=("x",)), put()
    assert _ids(idle.json("list")) == [third.job_id, second.job_id, first.job_id]
    assert _ids(idle.json("list", "-n", "1")) == [third.job_id]
    assert _ids(idle.json("list", "--tag", "x")) == [second.job_id, first.job_id]
    assert _ids(idle.json("list", "--name", "one")) == [first.job_id]
    assert _ids(idle.json("list", "--status", "done")) == []
    assert len(_ids(idle.json("list", "--status", "initializing", "--backend", "qasm_simulator"))) == 3
    lines = idle("list").stdout.splitlines()
    assert [line.split("\t")[:2] for line in lines] == [[j.job_id, "INITIALIZING"] for j in (third, second, first)]


def test_the_ways_to_name_a_job(idle: CommandLine, put: Put) -> None:
    first, last = put(), put()
    named = idle.json("status", first.job_id, first.job_id[:12].upper(), "last")
    assert _ids(named) == [first.job_id, first.job_id, last.job_id]


def test_no_such_job(idle: CommandLine, put: Put) -> None:
    references = ("last", "abcd", "abc", "", "00000000-0000-0000-0000-000000000000")
    other_verbs = ("wait", "result", "cancel")
    for verb, reference in (*(("status", each) for each in references), *((each, "abcd") for each in other_verbs)):
        done = idle(verb, reference)
        assert (done.returncode, done.stdout) == (3, ""), (verb, reference)
        assert len(done.stderr.splitlines()) == 1
    assert idle.json("status", "last", exit_code=3)["error"]["code"] == "job_not_found"
    put()
    assert idle("status", "last", "abcd").stdout == ""


def _with_a_common_prefix(put: Put) -> list[JobRecord]:
    """Make jobs until two ids begin alike: 65536 beginnings, so that about 300 jobs do."""
    seen: dict[str, JobRecord] = {}
    while True:
        record = put()
        beginning = record.job_id[:4]
        if beginning in seen:
            return [seen[beginning], record]
        seen[beginning] = record


def test_an_ambiguous_prefix_lists_the_candidates(idle: CommandLine, put: Put) -> None:
    alike = sorted(record.job_id for record in _with_a_common_prefix(put))
    error = idle.json("status", alike[0][:4], exit_code=2)["error"]
    assert error["code"] == "ambiguous_job_id"
    assert error["candidates"] == alike
    done = idle("status", alike[0][:4])
    assert (done.returncode, done.stdout) == (2, "")
    assert all(job_id in done.stderr for job_id in alike)


def test_a_wait_that_runs_out(idle: CommandLine, put: Put) -> None:
    record = put()
    done = idle("wait", "last", "--timeout", "0.1")
    assert (done.returncode, done.stdout) == (124, "")
    assert record.job_id in done.stderr
    value = json.loads(idle("wait", "last", "--timeout", "0", "--json").stdout)
    assert value["error"]["code"] == "wait_timed_out"


def test_a_result_that_is_not_there_yet(idle: CommandLine, put: Put) -> None:
    record = put()
    done = idle("result", record.job_id)
    assert (done.returncode, done.stdout) == (8, "")
    assert idle.json("result", "last", exit_code=8)["error"]["code"] == "not_finished"
    assert idle("result", "last", "--wait", "--timeout", "100ms").returncode == 124


def test_a_job_that_waits_is_cancelled_at_once(idle: CommandLine, put: Put) -> None:
    record = put()
    done = idle("cancel", record.job_id)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\t")[:2] == [record.job_id, "CANCELLED"]
    assert idle("wait", record.job_id).returncode == 4
    assert idle("result", record.job_id).returncode == 4
    assert idle("cancel", record.job_id).returncode == 0
    (job,) = idle.json("cancel", record.job_id)["jobs"]
    assert (job["status"], job["reason"]) == ("CANCELLED", "USER_CANCELLED")


def test_a_submission_without_a_verdict_is_durable(idle: CommandLine, bell: object) -> None:
    done = idle("submit", str(bell))
    assert done.returncode == 0
    job_id = done.stdout.strip()
    assert len(done.stderr.splitlines()) == 1
    assert job_id in done.stderr
    assert idle.json("status", job_id)["jobs"][0]["status"] == "INITIALIZING"


def test_no_worker_is_no_error(idle: CommandLine) -> None:
    value = idle.json("worker", "status")
    assert value["workers"] == []
    assert value["jobs"] == {"initializing": 0, "validating": 0, "queued": 0, "running": 0}
    assert idle.json("worker", "stop")["outcome"] == "not_running"
    assert idle("worker", "logs").returncode == 0
