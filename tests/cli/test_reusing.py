"""`--reuse`: the result of an earlier job at once, without a worker, and what is said about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store.connections import raw_connection
from aerjob_cli.store.records import JobRecord
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine, end_workers
from tests.support.running import Scene


@pytest.fixture
def done(aerjob: CommandLine) -> Iterator[JobRecord]:
    """A job that has ended, in a store in which no worker is any more; its file is there still."""
    (aerjob.folder / "bell.qasm").write_text(BELL)
    scene = Scene(aerjob.home)
    scene.start_worker()
    job_id = aerjob.json("submit", "bell.qasm", "--seed", "7", "--shots", "100", "--tag", "a")["jobs"][0]["job_id"]
    yield scene.wait_for_status(scene.client.find(job_id), Status.DONE)
    scene.stop()


def counts(answer: dict[str, Any]) -> list[dict[str, int]]:
    return [experiment["counts"] for job in answer["jobs"] for experiment in job["experiments"]]


def test_the_result_is_there_at_once_and_no_worker_is_started(aerjob: CommandLine, done: JobRecord) -> None:
    aerjob("worker", "stop")
    asked = ("bell.qasm", "--seed", "7", "--shots", "100", "--reuse")
    submitted = aerjob("submit", *asked, "--tag", "b")
    job_id = submitted.stdout.strip()
    assert submitted.stderr == f"job {job_id} was given the result of job {done.job_id}\n"
    assert aerjob("submit", *asked, "--quiet").stderr == ""
    assert counts(aerjob.json("run", *asked)) == counts(aerjob.json("run", *asked, "--quiet"))
    state = aerjob.json("show", job_id)
    assert (state["status"], state["reused_from"], state["tags"]) == ("DONE", done.job_id, ["b"])
    assert (state["started_at"], state["ran_s"], state["attempt"]) == (None, None, 0)
    (event,) = state["history"]
    assert (event["from_status"], event["to_status"]) == (None, "DONE")
    assert f"reused from\t{done.job_id}\n" in aerjob("show", job_id).stdout
    assert aerjob("result", job_id).stdout == aerjob("result", done.job_id).stdout
    assert "no worker runs" in aerjob("worker", "status").stdout
    assert aerjob("store", "check").returncode == 0


def test_of_several_files_those_that_are_known_are_given(aerjob: CommandLine, done: JobRecord) -> None:
    (aerjob.folder / "other.qasm").write_text(BELL + "// other\n")
    asked = ("submit", "bell.qasm", "other.qasm", "--seed", "7", "--shots", "100", "--reuse", "--wait")
    first = aerjob.json(*asked)["jobs"]
    assert [job["reused_from"] for job in first] == [done.job_id, None]
    second = aerjob.json(*asked)["jobs"]
    assert [job["reused_from"] for job in second] == [done.job_id, first[1]["job_id"]]


def test_it_is_run_again_by_retry(aerjob: CommandLine, done: JobRecord) -> None:
    job_id = aerjob("submit", "bell.qasm", "--seed", "7", "--shots", "100", "--reuse").stdout.strip()
    assert "identical" in aerjob("retry", job_id, "--verify").stdout
    again = aerjob.json("show", "last")
    assert (again["retry_of"], again["reused_from"], again["attempt"]) == (job_id, None, 1)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ((), "--reuse needs a seed, since without one each job draws its own, and no two are the same; give one"),
        (("--seed", "7", "--hold"), "--reuse gives a result at once, and this job is to wait for something"),
        (("--seed", "7", "--begin", "+1h"), "--reuse gives a result at once, and this job is to wait for something"),
    ],
)
def test_what_cannot_be_is_refused(idle: CommandLine, more: tuple[str, ...], sentence: str) -> None:
    (idle.folder / "bell.qasm").write_text(BELL)
    refused = idle("submit", "bell.qasm", "--reuse", *more)
    assert (refused.returncode, refused.stdout) == (6, "")
    assert sentence in refused.stderr
    assert idle.json("list")["jobs"] == []


def test_a_result_that_is_damaged_is_not_given_to_another_job(aerjob: CommandLine, done: JobRecord) -> None:
    with closing(raw_connection(StorePaths(aerjob.home).database, busy_timeout_s=10)) as connection:
        (guard,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'experiments_stay'").fetchone()
        connection.execute("DROP TRIGGER experiments_stay")
        connection.execute("UPDATE experiments SET data = x'7b7d'")
        connection.execute(guard)
    asked = ("submit", "bell.qasm", "--seed", "7", "--shots", "100", "--reuse", "--wait")
    again = aerjob.json(*asked)["jobs"][0]
    assert (again["reused_from"], again["status"]) == (None, "DONE")
    # It is there again, then.
    assert aerjob.json(*asked)["jobs"][0]["reused_from"] == again["job_id"]


def test_it_goes_to_another_store_as_it_is_and_is_no_source_there(aerjob: CommandLine, done: JobRecord) -> None:
    asked = ("bell.qasm", "--seed", "7", "--shots", "100", "--reuse")
    job_id = aerjob("submit", *asked).stdout.strip()
    assert aerjob("export", job_id, "-o", "jobs.zip").returncode == 0
    other = CommandLine(aerjob.folder / "other", aerjob.folder)
    assert other("import", "jobs.zip").stdout == f"{job_id}\n"
    assert other("result", job_id).stdout == aerjob("result", job_id).stdout
    assert other.json("show", job_id)["reused_from"] == done.job_id
    assert other.json("submit", *asked)["jobs"][0]["reused_from"] is None
    assert other("store", "check").stdout.startswith("sound")
    end_workers(other.home)
