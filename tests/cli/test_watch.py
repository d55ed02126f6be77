"""`watch`: following jobs to their ends on a screen, which then exits as `wait` does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aerjob_cli.settings import StorePaths
from tests.cli.conftest import Put
from tests.support.command_line import CommandLine
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.staging import Stage


@pytest.fixture
def stage(idle: CommandLine) -> Iterator[Stage]:
    with Stage(StorePaths(idle.home)) as opened:
        yield opened


def test_it_ends_with_the_jobs(idle: CommandLine, put: Put, stage: Stage) -> None:
    good, bad, other = put(name="good"), put(name="bad"), put(name="other")
    for job in (good, bad, other):
        stage.validate(job, experiments=2)
    with PseudoTerminal(idle, "watch", good.job_id, bad.job_id[:8], columns=100) as terminal:
        terminal.wait_for("2 queued")
        terminal.wait_for("ends when all have ended")
        assert "other" not in terminal.text
        stage.run_through(good, experiments=2)
        terminal.wait_for("1 queued · 1 done")
        stage.start(bad)
        terminal.wait_for("1 running · 0 queued")
        stage.fail(bad)
        assert terminal.end() == 1
        assert terminal.modes == terminal.modes_before
        afterwards = terminal.sent.rpartition(b"\x1b[?1049l")[2].decode()
        assert [line.split("  ")[0] for line in afterwards.splitlines() if "  " in line] == [good.job_id, bad.job_id]
        assert "SIMULATION_FAILED: it failed" in afterwards


def test_jobs_that_have_ended_are_not_watched(idle: CommandLine, put: Put) -> None:
    job = put()
    assert idle("cancel", job.job_id).returncode == 0
    with PseudoTerminal(idle, "watch", "last") as terminal:
        assert terminal.end() == 4


def test_q_leaves_the_jobs_to_themselves(idle: CommandLine, put: Put) -> None:
    put()
    with PseudoTerminal(idle, "watch", "last") as terminal:
        terminal.wait_for("1 to validate")
        terminal.press("q")
        assert terminal.end() == 0
    assert idle.json("status", "last")["jobs"][0]["status"] == "INITIALIZING"


def test_without_ids_it_shows_what_is_pending_and_what_ends_meanwhile(
    idle: CommandLine, put: Put, stage: Stage
) -> None:
    stage.run_through(put(name="long ago"))
    job = put(name="present")
    with PseudoTerminal(idle, "watch") as terminal:
        terminal.wait_for("present")
        assert "0 done" in terminal.text
        assert "long ago" not in terminal.text
        put(name="new")
        terminal.wait_for("new")
        stage.run_through(job)
        terminal.wait_for("1 done")
        terminal.wait_for("ENDED")
        terminal.press("q")
        assert terminal.end() == 0


def test_a_job_that_is_deleted_while_it_is_watched(idle: CommandLine, put: Put) -> None:
    job = put()
    with PseudoTerminal(idle, "watch", job.job_id, columns=200) as terminal:
        terminal.wait_for("1 to validate")
        # In one step, so that nobody sees its end.
        with Stage(StorePaths(idle.home)) as stage, stage.store.writing() as tx:
            tx.exec_driver_sql("DELETE FROM jobs")
        assert terminal.end() == 3
        assert job.job_id in terminal.text
        assert terminal.modes == terminal.modes_before


def test_where_there_is_no_terminal_one_snapshot_is_all(idle: CommandLine, put: Put, stage: Stage) -> None:
    stage.run_through(put())
    job = put()
    assert [item["job_id"] for item in idle.json("watch")["queued"]] == [job.job_id]
    assert idle.json("watch")["jobs"]["done"] == 0
    value = idle.json("watch", "last")
    assert (value["jobs"]["initializing"], value["ended"]) == (1, [])
    assert idle("watch", "last").stdout.count(job.job_id) == 1
    assert idle("watch", "ffffffff").returncode == 3


def test_a_worker_is_shown_with_what_it_does(working: CommandLine, bell: object) -> None:
    assert working("run", str(bell)).returncode == 0
    worker = working.json("watch")["worker"]
    assert worker["uptime_s"] > 0
    assert worker["processes"][0]["role"] == "worker"
    assert (worker["slots"] >= 1, worker["running_jobs"]) == (True, [])
    with PseudoTerminal(working, "watch") as terminal:
        terminal.wait_for(f"pid {worker['pid']} · aerjob ")
        terminal.wait_for(f"0 of {worker['slots']} slots busy")
        terminal.press("q")
        assert terminal.end() == 0
