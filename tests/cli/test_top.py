"""`top`: one snapshot for programs, and a screen for people that leaves the terminal as it was."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator

import pytest

from aerjob_cli.settings import StorePaths
from tests.cli.conftest import Put
from tests.support.command_line import CommandLine
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.staging import Stage

ENTERED, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"
CURSOR_HIDDEN, CURSOR_SHOWN = b"\x1b[?25l", b"\x1b[?25h"


@pytest.fixture
def stage(idle: CommandLine) -> Iterator[Stage]:
    with Stage(StorePaths(idle.home)) as opened:
        yield opened


def assert_as_before(terminal: PseudoTerminal) -> None:
    """Assert that the command has taken the terminal, and given back all of it."""
    assert terminal.sent.count(ENTERED) == terminal.sent.count(LEFT) > 0
    assert terminal.sent.rindex(LEFT) > terminal.sent.rindex(ENTERED)
    assert terminal.sent.rindex(CURSOR_SHOWN) > terminal.sent.rindex(CURSOR_HIDDEN)
    assert terminal.modes == terminal.modes_before


def test_the_snapshot_as_json(idle: CommandLine, put: Put, stage: Stage) -> None:
    ended, failed = put(name="first"), put()
    stage.run_through(ended)
    stage.validate(failed, experiments=1)
    stage.start(failed)
    stage.fail(failed)
    running, urgent, later = put(name="busy"), put(priority=5), put()
    for job in (running, urgent, later):
        stage.validate(job, experiments=4)
    # What has the highest priority is the next one.
    stage.start(urgent, in_this_process=True)
    stage.record(urgent, 0)
    new = put()

    value = idle.json("top")
    assert value["jobs"] == {
        "initializing": 1,
        "validating": 0,
        "queued": 2,
        "running": 1,
        "done": 1,
        "error": 1,
        "cancelled": 0,
    }
    assert (value["store"], value["worker"]) == (str(idle.home), None)
    (runs,) = value["running"]
    assert (runs["job_id"], runs["status"], runs["experiments_done"], runs["experiments_total"]) == (
        urgent.job_id,
        "RUNNING",
        1,
        4,
    )
    assert runs["eta_s"] == pytest.approx(3 * runs["elapsed_s"])
    assert runs["rss_bytes"] == value["memory"]["executors_rss_bytes"] > 2**20
    assert value["memory"]["available_bytes"] > 2**20
    assert [(job["job_id"], job["queue_position"]) for job in value["queued"]] == [
        (running.job_id, 1),
        (later.job_id, 2),
        (new.job_id, None),
    ]
    assert [(job["job_id"], job["status"], job["reason"]) for job in value["ended"]] == [
        (failed.job_id, "ERROR", "SIMULATION_FAILED"),
        (ended.job_id, "DONE", None),
    ]
    assert value["ended"][1]["name"] == "first"
    assert value["throughput"]["window_s"] == 10
    # Two jobs have just ended, and two experiments are done, of one of them and of one that still runs.
    assert value["throughput"]["jobs_per_s"] == 0.2
    assert value["throughput"]["experiments_per_s"] == pytest.approx(0.2)


def test_the_snapshot_as_plain_text(idle: CommandLine, put: Put, stage: Stage) -> None:
    stage.run_through(put(name="tab\there"))
    waiting = put()
    done = idle("top")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert ["worker", "none"] in rows
    assert ["jobs", "done", "1"] in rows
    assert ["queued", waiting.job_id, "0/?", "-", "qasm_simulator", ""] in rows
    assert [row[-1] for row in rows if row[0] == "done"] == ["tab here"]
    assert idle("top", "--once").stdout.count("\n") == done.stdout.count("\n")


def test_one_frame_on_a_terminal_takes_nothing(idle: CommandLine, put: Put) -> None:
    put(name="waits")
    with PseudoTerminal(idle, "top", "--once") as terminal:
        assert terminal.end() == 0
        assert "waits" in terminal.text
        assert ENTERED not in terminal.sent
    for arguments, environment in ((("top", "--json"), {}), (("top",), {"TERM": "dumb"})):
        with PseudoTerminal(idle, *arguments, columns=500, env=environment) as terminal:
            assert terminal.end() == 0
            assert b"\x1b" not in terminal.sent


def test_the_screen_keeps_up_and_q_leaves_it(idle: CommandLine, put: Put, stage: Stage) -> None:
    job = put(name="sweep")
    with PseudoTerminal(idle, "top") as terminal:
        terminal.wait_for("1 to validate")
        stage.validate(job, experiments=8)
        terminal.wait_for("1 queued")
        stage.start(job, in_this_process=True)
        stage.record(job, 0, 1, 2, 3, 4)
        terminal.wait_for("5/8")
        (row,) = [line for line in terminal.lines if "sweep" in line]
        assert row.startswith(job.job_id[:8])
        assert "━━" in row
        assert "MiB" in row
        terminal.wait_for("1 running · 0 queued")
        stage.record(job, 5, 6, 7)
        stage.finish(job)
        terminal.wait_for("1 done")
        terminal.wait_for("ENDED")
        terminal.press("xyz")
        terminal.press("q")
        assert terminal.end() == 0
        assert_as_before(terminal)


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (140, 40), (60, 12), (20, 4)])
def test_the_screen_at_its_sizes(idle: CommandLine, put: Put, columns: int, lines: int) -> None:
    for number in range(60):
        put(name=f"{number} 量子体積🎲" * 9)
    # Nothing but the change of size has it drawn anew.
    with PseudoTerminal(idle, "top", "--interval", "1h", columns=90, lines=30) as terminal:
        terminal.wait_for(" more")
        terminal.resize(columns=columns, lines=lines)
        # What was drawn before has lost its first lines or its last one.
        terminal.wait_for(lambda text: text.startswith("aerjob top") and text.endswith("q leaves"))
        if lines >= 12:
            rows = [line for line in terminal.lines if re.match(r"[0-9a-f]{8} \d+ 量", line)]
            # The screen is filled, and says how many there are that it does not show.
            assert len(rows) == lines - len(("title", "worker", "jobs", "rate", "", "QUEUED", "more", "q leaves"))
            assert f"… and {60 - len(rows)} more" in terminal.text
            # The figures are where they belong, however wide the names are: no job has any priority.
            assert {row.split()[-2] for row in rows} == {"0"}
        terminal.press("q")
        assert terminal.end() == 0


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_the_terminal_as_it_was(idle: CommandLine, number: signal.Signals, exit_code: int) -> None:
    with PseudoTerminal(idle, "top", columns=120) as terminal:
        terminal.wait_for("no jobs")
        assert terminal.modes != terminal.modes_before
        terminal.send(number)
        assert terminal.end() == exit_code
        assert_as_before(terminal)


def test_ctrl_c_is_such_a_signal(idle: CommandLine) -> None:
    with PseudoTerminal(idle, "top") as terminal:
        terminal.wait_for("no jobs")
        terminal.press("\x03")
        assert terminal.end() == 130
        assert_as_before(terminal)


def test_an_error_leaves_the_terminal_as_it_was(idle: CommandLine) -> None:
    with PseudoTerminal(idle, "top", columns=200) as terminal:
        terminal.wait_for("no jobs")
        os.unlink(StorePaths(idle.home).database)
        assert terminal.end() == 5
        assert "was deleted or replaced" in terminal.text
        assert_as_before(terminal)


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_a_screen_that_was_stopped_is_drawn_anew(idle: CommandLine, number: signal.Signals) -> None:
    with PseudoTerminal(idle, "top") as terminal:
        terminal.wait_for("q leaves")
        terminal.send(number)
        # Its session has no shell: the kernel lets nobody stop there by SIGTSTP, but the screen is given back before.
        if number is signal.SIGSTOP:
            terminal.send(signal.SIGCONT)
        terminal.wait_for(lambda _: terminal.sent.count(ENTERED) >= 2 and terminal.sent.endswith(b"\x1b[J"))
        assert (LEFT in terminal.sent) is (number is signal.SIGTSTP)
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.modes == terminal.modes_before


def test_names_cannot_act_on_the_terminal(idle: CommandLine, put: Put) -> None:
    put(name="\x1b]0;owned\x07[red]mark[/red]\u202e\u200b\nnext")
    with PseudoTerminal(idle, "top", columns=140) as terminal:
        terminal.wait_for("]0;owned[red]mark[/red] next")
        terminal.press("q")
        assert terminal.end() == 0
        assert not {"\x07", "\u202e", "\u200b", "\x1b]"} & set(terminal.sent.decode())


@pytest.mark.parametrize(("interval", "exit_code"), [("0", 2), ("10ms", 2), ("soon", 2), ("1s", 0)])
def test_the_interval(idle: CommandLine, interval: str, exit_code: int) -> None:
    assert idle("top", "--interval", interval).returncode == exit_code
