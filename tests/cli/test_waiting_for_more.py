"""Jobs that wait for more than their turn, on the command line: how that is said, shown, changed and refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from aerjob_cli.api.requests import Plan
from aerjob_cli.cli.times import parse_begin
from aerjob_cli.errors import InvalidBegin, JobNotFound
from aerjob_cli.settings import StorePaths
from tests.cli.conftest import Put, Quick
from tests.support.command_line import CommandLine
from tests.support.query_plans import recorded, unbounded_steps


@pytest.fixture
def first(quick: Quick, bell: Path) -> str:
    """A job that nothing has been done with."""
    return submitted(quick, bell)


def submitted(quick: Quick, bell: Path, *options: str) -> str:
    # It is not validated, since no worker runs.
    quick_submit = quick.json("submit", str(bell), *options)
    return str(quick_submit["jobs"][0]["job_id"])


@pytest.fixture(autouse=True)
def no_wait_for_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aerjob_cli.cli.commands.submit._VERDICT_TAKES_AT_MOST_S", 0.0)


def state(quick: Quick, job_id: str) -> dict[str, object]:
    (found,) = quick.json("status", job_id)["jobs"]
    return dict(found)


def test_why_a_job_waits(quick: Quick, bell: Path, first: str) -> None:
    begin = datetime.now().astimezone() + timedelta(days=1)
    options = ("--after", f"{first[:8]}, last", "--hold", "--begin", begin.isoformat())
    second = submitted(quick, bell, "--after-ok", "last")
    job = submitted(quick, bell, *options)
    found = state(quick, job)
    assert (found["held"], found["waits_for"], found["queue_position"]) == (True, [first, second], None)
    time = str(found["begins_at"])
    assert datetime.fromisoformat(time) == begin
    assert found["waiting"] == f"held; waits for {first} and 1 more; begins at {time[:19]}Z"
    assert str(found["waiting"]) in quick("status", job)[1]
    assert [item["waiting"] for item in quick.json("list")["jobs"]] == [found["waiting"], f"waits for {first}", None]
    assert quick("list", "--columns", "waiting", "-n", "1")[1].strip() == found["waiting"]
    shown = quick.json("show", job)
    assert [(item["kind"], item["job_id"]) for item in shown["dependencies"]] == [("after", first), ("after", second)]
    assert f"depends on\tafter {first}, INITIALIZING" in quick("show", job)[1]


def test_hold_release_and_priority(quick: Quick, bell: Path, first: str) -> None:
    second = submitted(quick, bell, "--hold")
    assert quick("hold", first, second, first)[0] == 0
    assert [item["held"] for item in quick.json("list")["jobs"]] == [True, True]
    (released,) = quick.json("release", second)["jobs"]
    assert (released["job_id"], released["held"], released["waiting"]) == (second, False, None)
    assert quick("set", second, "--priority", "-3")[1] == f"{second}\tINITIALIZING\tpriority -3\twaits for its turn\n"
    assert [event["why"] for event in quick.json("show", second)["history"]] == [
        "submitted",
        "released",
        "priority 0 becomes -3",
    ]
    assert quick.json("set", second, "--priority", "10000000", exit_code=6)["error"]["code"] == "input_refused"
    assert quick("set", second)[0] == 2

    # By what they have in common, too: those are meant that have not begun.
    assert [item["job_id"] for item in quick.json("hold", "--status", "initializing", "--dry-run")["jobs"]] == [
        first,
        second,
    ]
    assert [item["held"] for item in quick.json("hold", "--older-than", "0s", "--yes")["jobs"]] == [True, True]
    quick("cancel", first)
    assert [item["job_id"] for item in quick.json("release", "--older-than", "0s")["jobs"]] == [second]
    (changed,) = quick.json("set", "--older-than", "0s", "--priority", "4")["jobs"]
    assert (changed["job_id"], changed["held"], changed["priority"]) == (second, False, 4)
    assert quick("hold", "--status", "cancelled")[0] == 3
    assert quick("set", "--priority", "4")[0] == 2
    for verb in (("hold",), ("release",), ("set", "--priority", "1")):
        error = quick.json(*verb, second, first, exit_code=8)["error"]
        assert (error["code"], error["job_ids"]) == ("has_begun", [first])
    assert state(quick, second)["held"] is False


def test_one_who_waits_for_a_held_job_is_told_once(idle: CommandLine, quick: Quick, bell: Path) -> None:
    job = submitted(quick, bell, "--hold")
    code, stdout, stderr = quick("wait", job, "--timeout", "0")
    assert (code, stdout) == (124, "")
    assert stderr.count(f"job {job} is held; `aerjob release {job}` lets it start") == 1
    assert "held" not in quick("wait", job, "--timeout", "0", "--quiet")[2]


def test_who_looks_at_what_waits(quick: Quick, put: Put) -> None:
    """A job that is validated and held has no place in the queue, and does without a worker."""
    held = put(hold=True, plan=Plan(1, 1))
    put(after=[held.job_id], plan=Plan(1, 1))
    (finding,) = (item for item in quick.json("doctor")["findings"] if item["subject"] == "worker")
    assert finding["fact"] == "none runs; the next job starts one"
    ready = put(plan=Plan(1, 1))
    watched = quick.json("watch", "--once", held.job_id, ready.job_id)
    assert [(item["job_id"], item["queue_position"]) for item in watched["queued"]] == [
        (ready.job_id, 1),
        (held.job_id, None),
    ]
    assert [item["job_id"] for item in quick.json("top", "--once")["queued"]] == [ready.job_id]


def test_cancel_ends_the_chain_and_rm_leaves_what_is_waited_for(quick: Quick, bell: Path, first: str) -> None:
    held = submitted(quick, bell, "--hold", "--after", first)
    chain = [submitted(quick, bell, "--after-ok", first)]
    chain.append(submitted(quick, bell, "--after-ok", chain[-1]))
    assert quick("cancel", first)[0] == 0
    assert [state(quick, job)["reason"] for job in chain] == ["DEPENDENCY_FAILED", "DEPENDENCY_FAILED"]
    assert str(state(quick, chain[0])["message"]).startswith(f"it waited for job {first} to be DONE")
    code, stdout, stderr = quick("wait", *chain)
    assert (code, len(stdout.splitlines())) == (1, 2)
    assert f"job {chain[1]} ended in ERROR, DEPENDENCY_FAILED: " in stderr

    refused = quick.json("rm", chain[0], first, exit_code=8)["error"]
    assert (refused["code"], refused["job_id"], refused["dependants"]) == ("awaited", first, [held])
    assert f"job {held} depends on it and has not ended" in refused["message"]
    assert quick("cancel", held)[0] == 0
    assert quick("rm", chain[0], first)[0] == 0


@pytest.mark.parametrize("option", ["--after", "--after-ok", "--after-any"])
def test_an_unknown_job_is_refused_whole(quick: Quick, bell: Path, first: str, option: str) -> None:
    code, stdout, stderr = quick("submit", str(bell), str(bell), option, f"{first},ffffffff")
    assert (code, stdout) == (3, "")
    assert stderr == "aerjob: no job 'ffffffff' in this store; `aerjob list` shows the jobs there are\n"
    assert len(quick.json("list")["jobs"]) == 1
    assert quick("submit", str(bell), option, f"{first},")[0] == 2


def test_times_to_begin_at() -> None:
    now = datetime.now().astimezone()
    assert abs(parse_begin("+2h") / 1e6 - (now + timedelta(hours=2)).timestamp()) < 60
    assert datetime.fromtimestamp(parse_begin("tomorrow") / 1e6).date() == (now + timedelta(days=1)).date()
    assert parse_begin("2026-01-31T12:00+00:00") == 1769860800 * 10**6
    for text in ("2h", "+", "+h", "soon", "", "10000-01-01"):
        with pytest.raises(InvalidBegin):
            parse_begin(text)


def test_what_it_costs_does_not_grow(quick: Quick, bell: Path, first: str, idle: CommandLine, put: Put) -> None:
    with recorded() as heard:
        job = submitted(quick, bell, "--after", first, "--after-ok", first)
        anyone = submitted(quick, bell, "--after-any", f"{first},{job}", "--begin", "+1h")
        for command in (
            *(f"status {job} {anyone}", f"hold {job} {anyone}", f"release {job}", f"set {job} --priority 2"),
            *("list", f"cancel {first}", f"rm {first}", f"cancel {anyone}", f"retry {anyone}"),
        ):
            quick(*command.split())
    for statement, plan in heard.plans(StorePaths(idle.home)):
        assert unbounded_steps(statement, plan) == [], (statement, plan)


def test_a_repeated_key_gives_its_job_also_when_what_it_waited_for_is_gone(quick: Quick, put: Put) -> None:
    first = put(plan=Plan(1, 1))
    job = put(after=(first.job_id,), idempotency_key="k", plan=Plan(1, 1))
    quick.json("cancel", first.job_id, job.job_id)
    quick.json("rm", first.job_id)
    assert put(after=(first.job_id,), idempotency_key="k", plan=Plan(1, 1)).job_id == job.job_id
    with pytest.raises(JobNotFound):
        put(after=(first.job_id,), idempotency_key="another", plan=Plan(1, 1))
