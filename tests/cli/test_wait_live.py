"""The line that moves under a command that waits: what it says, where it is not, and that it leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aerjob_cli.settings import StorePaths
from tests.cli.conftest import Put
from tests.support.command_line import CommandLine
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.staging import Stage

ERASE = b"\r\x1b[K"


@pytest.fixture
def stage(idle: CommandLine) -> Iterator[Stage]:
    with Stage(StorePaths(idle.home)) as opened:
        yield opened


def shown(terminal: PseudoTerminal) -> list[str]:
    return [line for line in terminal.lines if line]


def test_one_job_from_its_submission_to_its_end(idle: CommandLine, put: Put, stage: Stage) -> None:
    job = put()
    with PseudoTerminal(idle, "wait", "last") as terminal:
        terminal.wait_for("initializing · 0:0")
        stage.validate(job, experiments=4)
        terminal.wait_for("queued · 0/4 experiments · 0:")
        stage.start(job, in_this_process=True)
        terminal.wait_for("running · 0/4 experiments · 0:")
        terminal.wait_for("MiB")
        assert "ETA" not in terminal.text
        stage.record(job, 0, 1, 2)
        terminal.wait_for("running · 3/4 experiments · 0:")
        terminal.wait_for("ETA 0:0")
        assert len(shown(terminal)) == 1
        stage.record(job, 3)
        stage.finish(job)
        assert terminal.end() == 0
        assert shown(terminal) == [f"{job.job_id}  DONE"]


def test_several_jobs_are_counted_and_printed_above_the_line(idle: CommandLine, put: Put, stage: Stage) -> None:
    jobs = [put() for _ in range(3)]
    with PseudoTerminal(idle, "wait", *(job.job_id for job in jobs)) as terminal:
        terminal.wait_for("0/3 jobs initializing")
        stage.run_through(jobs[0], experiments=2)
        terminal.wait_for("1/3 jobs initializing · 2/2+ experiments")
        for job in jobs[1:]:
            stage.validate(job, experiments=2)
        terminal.wait_for("1/3 jobs queued · 2/6 experiments")
        # Of jobs that were done while we looked the others' pace is known.
        assert "ETA" in terminal.text
        assert shown(terminal)[0] == f"{jobs[0].job_id}  DONE"
        stage.start(jobs[1])
        stage.fail(jobs[1])
        stage.run_through(jobs[2], experiments=2)
        assert terminal.end() == 1
        assert [line.split()[-1] for line in shown(terminal) if line.startswith(tuple(job.job_id for job in jobs))] == [
            "DONE",
            "ERROR",
            "DONE",
        ]
        assert "experiments" not in terminal.text


@pytest.mark.parametrize("columns", [12, 30])
def test_the_line_is_cut_and_never_wrapped(idle: CommandLine, put: Put, stage: Stage, columns: int) -> None:
    stage.validate(put(), experiments=4)
    with PseudoTerminal(idle, "wait", "last", columns=columns) as terminal:
        terminal.wait_for("queued · 0/4 experiments · 0:0"[: columns - 1])
        assert len(shown(terminal)) == 1
        terminal.press("\x03")
        terminal.end()


def test_ctrl_c_leaves_a_clean_line(idle: CommandLine, put: Put) -> None:
    put()
    with PseudoTerminal(idle, "wait", "last", columns=200) as terminal:
        terminal.wait_for("initializing")
        terminal.press("\x03")
        assert terminal.end() == 130
        (line,) = shown(terminal)
        assert line.startswith("aerjob: ")
        assert "goes on" in line


def test_the_line_is_gone_before_an_error(idle: CommandLine, put: Put) -> None:
    put()
    with PseudoTerminal(idle, "wait", "last", "--timeout", "1s", columns=200) as terminal:
        assert terminal.end() == 124
        assert ERASE in terminal.sent
        (line,) = shown(terminal)
        assert "within 1s" in line


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [(("--quiet",), {}), ((), {"TERM": "dumb"})],
    ids=["quiet", "dumb"],
)
def test_no_line_where_it_is_not_wanted(
    idle: CommandLine, put: Put, arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    put()
    with PseudoTerminal(idle, "wait", "last", "--timeout", "1s", *arguments, env=environment) as terminal:
        assert terminal.end() == 124
        assert b"\x1b" not in terminal.sent
        assert b"initializing" not in terminal.sent


def test_no_line_in_a_pipe(idle: CommandLine, put: Put) -> None:
    put()
    done = idle("wait", "last", "--timeout", "1s")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (124, "", 1)
    assert "\x1b" not in done.stderr


def test_the_line_under_result(idle: CommandLine, put: Put) -> None:
    put()
    with PseudoTerminal(idle, "result", "last", "--wait") as terminal:
        terminal.wait_for("initializing · 0:")
        terminal.press("\x03")
        assert terminal.end() == 130
        assert "initializing" not in terminal.text


@pytest.mark.parametrize("quiet", [False, True])
def test_the_line_under_run(idle: CommandLine, bell: Path, quiet: bool) -> None:
    arguments = ("run", str(bell), "--timeout", "1s", *(["--quiet"] if quiet else []))
    with PseudoTerminal(idle, *arguments, columns=200) as terminal:
        assert terminal.end() == 124
        assert (b"initializing" in terminal.sent) is not quiet
        assert "initializing" not in terminal.text
