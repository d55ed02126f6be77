"""`cancel` by filter, `retry`, `rm` and `tag`, on jobs that nobody works on."""

from __future__ import annotations

from pathlib import Path

import pytest

from aerjob_cli.api.requests import CircuitBytes, Plan
from aerjob_cli.settings import INLINE_LIMIT_BYTES, StorePaths
from aerjob_cli.store.records import JobRecord
from tests.cli.conftest import Put, Quick
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.staging import Stage


def _ids(value: dict[str, list[dict[str, str]]]) -> list[str]:
    return [job["job_id"] for job in value["jobs"]]


def _statuses(quick: Quick, *jobs: JobRecord) -> list[str]:
    return [job["status"] for job in quick.json("status", *(job.job_id for job in jobs))["jobs"]]


def test_cancel_gives_the_words_along(quick: Quick, put: Put) -> None:
    job = put()
    exit_code, stdout, stderr = quick("cancel", job.job_id, "--reason", "wrong\x1b[2J angle")
    assert (exit_code, stderr) == (0, "")
    assert stdout.split("\t")[:2] == [job.job_id, "CANCELLED"]
    assert quick.json("status", job.job_id)["jobs"][0]["message"] == "wrong\x1b[2J angle"
    assert "wrong[2J angle" in quick("status", job.job_id)[1]
    assert quick.json("cancel", job.job_id, "--reason", "x" * 1001, exit_code=6)["error"]["code"] == "input_refused"


def test_all_of_a_kind(quick: Quick, put: Put, home: Path) -> None:
    over = put(tags=("x",), plan=Plan(1, 1))
    with Stage(StorePaths(home)) as stage:
        stage.run_through(over)
    tagged, other, queued = put(tags=("x",)), put(), put(tags=("x",), name="q", plan=Plan(1, 1))

    rehearsed = quick.json("cancel", "--tag", "x", "--dry-run")
    assert rehearsed["dry_run"] is True
    assert _ids(rehearsed) == [tagged.job_id, queued.job_id]
    assert _statuses(quick, tagged, queued) == ["INITIALIZING", "QUEUED"]

    assert _ids(quick.json("cancel", "--tag", "x", "--name", "q*", "--status", "queued")) == [queued.job_id]
    done = quick.json("cancel", "--tag", "x")
    assert (done["dry_run"], _ids(done)) == (False, [tagged.job_id])
    assert _statuses(quick, over, tagged, other) == ["DONE", "CANCELLED", "INITIALIZING"]
    assert quick.json("cancel", "--tag", "x", exit_code=3)["error"]["code"] == "nothing_matched"
    assert quick("cancel", "--all", "--dry-run")[1].startswith(other.job_id)
    assert _ids(quick.json("cancel", "--all")) == [other.job_id]
    assert quick("cancel", "--all")[0] == 3


@pytest.mark.parametrize("options", [("--status", "done"), ("--until", "1d"), ("--since", "2999-01-01")])
def test_what_fits_no_pending_job_cancels_none(quick: Quick, put: Put, options: tuple[str, ...]) -> None:
    """Above all not those that have another status."""
    job = put()
    for more in ((), ("--dry-run",)):
        assert quick("cancel", *options, *more)[:2] == (3, "")
    assert _statuses(quick, job) == ["INITIALIZING"]


def test_a_rehearsal_with_ids_leaves_out_what_has_ended(quick: Quick, put: Put) -> None:
    over, job = put(), put()
    quick("cancel", over.job_id)
    assert _ids(quick.json("cancel", over.job_id, job.job_id, "--dry-run")) == [job.job_id]
    assert _ids(quick.json("cancel", over.job_id, "--dry-run")) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("cancel",),
        ("cancel", "--dry-run"),
        ("cancel", "last", "--tag", "x"),
        ("cancel", "last", "--all"),
        ("cancel", "--all", "--status", "queued"),
        ("tag", "last"),
        ("tag", "last", "--add", "a", "--remove", "a"),
        ("retry",),
        ("rm",),
        ("rm", "--all"),
    ],
)
def test_what_does_not_say_which_jobs(quick: Quick, put: Put, arguments: tuple[str, ...]) -> None:
    job = put()
    exit_code, stdout, stderr = quick(*arguments)
    assert (exit_code, stdout, len(stderr.splitlines())) == (2, "", 1)
    assert _statuses(quick, job) == ["INITIALIZING"]


def test_retry_prints_the_new_ids(quick: Quick, put: Put) -> None:
    first, second, waiting = put(name="n", tags=("t",), seed=5), put(plan=Plan(1, 1)), put()
    quick("cancel", first.job_id, second.job_id)
    exit_code, stdout, stderr = quick("retry", first.job_id[:8], second.job_id, first.job_id)
    assert (exit_code, stderr) == (0, "")
    new = stdout.split()
    assert len(set(new)) == 2
    one, two = quick.json("status", *new)["jobs"]
    assert (one["name"], one["tags"], one["seed"], one["status"]) == ("n", ["t"], 5, "INITIALIZING")
    assert two["status"] == "QUEUED"
    quick("cancel", new[0])
    (again,) = quick.json("retry", new[0])["jobs"]
    assert again["retry_of"] == new[0]
    error = quick.json("retry", second.job_id, waiting.job_id, exit_code=8)["error"]
    assert (error["code"], error["job_ids"]) == ("not_final", [waiting.job_id])
    assert len(quick.json("list")["jobs"]) == 6


def test_rm_takes_all_or_none(quick: Quick, put: Put) -> None:
    large = (CircuitBytes("large", "openqasm2", (BELL + "//" + "x" * INLINE_LIMIT_BYTES).encode()),)
    first, second, waiting = put(circuits=large), put(), put()
    quick("cancel", first.job_id, second.job_id)
    exit_code, stdout, stderr = quick("rm", first.job_id, waiting.job_id)
    assert (exit_code, stdout) == (8, "")
    assert waiting.job_id in stderr
    assert len(quick.json("list")["jobs"]) == 3
    answer = quick.json("rm", first.job_id[:10], first.job_id)
    assert answer == {"schema_version": 1, "job_ids": [first.job_id], "freed_bytes": len(large[0].data)}
    assert quick("rm", second.job_id) == (0, f"{second.job_id}\n", "")
    assert quick("rm", second.job_id)[0] == 3
    assert _ids(quick.json("list")) == [waiting.job_id]


def test_tags_of_ended_and_of_waiting_jobs(quick: Quick, put: Put) -> None:
    over, waiting = put(tags=("a", "b")), put()
    quick("cancel", over.job_id)
    exit_code, stdout, stderr = quick(
        "tag", over.job_id, waiting.job_id, over.job_id, "--add", "c", "--add", "日本", "--remove", "a"
    )
    assert (exit_code, stderr) == (0, "")
    assert stdout == f"{over.job_id}\tb,c,日本\n{waiting.job_id}\tc,日本\n"
    assert _ids(quick.json("list", "--tag", "c", "--tag", "日本")) == [waiting.job_id, over.job_id]
    (job,) = quick.json("tag", "last", "--remove", "c", "--remove", "日本")["jobs"]
    assert job["tags"] == []
    assert quick("tag", "last", "--add", "")[0] == 6


def test_cancel_on_a_terminal_is_a_table(idle: CommandLine, put: Put) -> None:
    job = put(name="bell")
    with PseudoTerminal(idle, "cancel", job.job_id, "--reason", "no") as terminal:
        assert terminal.end() == 0
        heading, row = [line for line in terminal.lines if line]
    assert heading.split()[:2] == ["JOB", "STATUS"]
    assert row.split()[:2] == [job.job_id[:8], "CANCELLED"]
