"""stdout that is closed, full, left by its reader, or a terminal; signals that end a command."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Put
from tests.support.command_line import CommandLine


@pytest.mark.parametrize(
    ("redirection", "exit_codes"),
    [("| true", "0 0"), (">&- 2>&- <&-", "70"), ("2>&-", "0")],
)
def test_nobody_reads(working: CommandLine, bell: Path, redirection: str, exit_codes: str) -> None:
    name = bell.parent.name
    done = working.shell(f"aerjob submit {bell} --name {name} {redirection}; echo ${{PIPESTATUS[@]}} >&2")
    assert done.stderr.splitlines()[-1] == exit_codes
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert len(working.json("list", "--name", name)["jobs"]) == 1


@pytest.mark.parametrize(
    "command", ["list", "list --json", "show last --json", "--help", "list --help", "worker --help", "--version"]
)
@pytest.mark.parametrize(("place", "fact"), [("> /dev/full", "No space left"), (">&-", "stdout is closed")])
def test_an_answer_that_is_lost_is_told(idle: CommandLine, put: Put, command: str, place: str, fact: str) -> None:
    put()
    done = idle.shell(f"aerjob {command} {place}")
    assert done.returncode == 70
    (line,) = done.stderr.splitlines()
    assert line.startswith("aerjob: the answer could not be written")
    assert fact in line


@pytest.mark.parametrize("place", [">&-", "> /dev/full", "--json >&-"])
def test_a_lost_answer_loses_no_id(working: CommandLine, bell: Path, place: str) -> None:
    done = working.shell(f"aerjob submit {bell} {place}")
    assert done.returncode == 70
    assert f"job {working.json('list')['jobs'][0]['job_id']} is submitted" in done.stderr.splitlines()
    assert "the answer could not be written" in done.stderr


def test_an_error_in_json_that_stdout_does_not_take_is_on_stderr(idle: CommandLine) -> None:
    done = idle.shell("aerjob status none --json > /dev/full")
    assert done.returncode == 3
    assert done.stderr.startswith("aerjob: no job 'none'")


def test_help_for_a_reader_who_has_left(idle: CommandLine) -> None:
    assert idle.shell("aerjob --help | true; exit ${PIPESTATUS[0]}").stderr == ""


HOSTILE = "\x1b]0;owned\x07[red]mark[/red]\u202e\u200b\nnext"


def test_names_cannot_act_on_a_terminal(idle: CommandLine, put: Put) -> None:
    put(name=HOSTILE)
    for verb in (("list",), ("status", "last")):
        for environment in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
            shown = idle.on_a_terminal(*verb, **environment)
            assert "]0;owned[red]mark[/" in shown
            assert not {"\x07", "\u202e", "\u200b", "\x1b]"} & set(shown)
    assert idle.json("list")["jobs"][0]["name"] == HOSTILE


def test_colour_only_where_it_is_wanted(idle: CommandLine, put: Put) -> None:
    put()
    assert "\x1b[" in idle.on_a_terminal("list")
    assert "\x1b[3" not in idle.on_a_terminal("list", NO_COLOR="1")
    assert "\x1b" not in idle.on_a_terminal("list", TERM="dumb")
    assert "\x1b" not in idle.on_a_terminal("list", "--json")
    assert "\x1b" not in idle("list", env={"FORCE_COLOR": "1"}).stdout


def test_an_id_is_never_broken(idle: CommandLine, put: Put) -> None:
    record = put()
    for verb in (("list",), ("status", "last")):
        assert record.job_id[:8] in idle.on_a_terminal(*verb, COLUMNS="50")


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_wait_and_not_the_job(
    idle: CommandLine, put: Put, number: signal.Signals, exit_code: int
) -> None:
    put()
    process = idle.start("wait", "last")
    _wait_until_it_watches(process.pid, idle)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (exit_code, "")
    assert len(stderr.splitlines()) == 1
    assert "goes on" in stderr
    assert idle.json("status", "last")["jobs"][0]["status"] == "INITIALIZING"


def test_a_signal_while_the_verdict_is_awaited_loses_no_id(idle: CommandLine, bell: Path) -> None:
    process = idle.start("submit", bell)
    _wait_until_it_watches(process.pid, idle)
    while not idle.json("list")["jobs"]:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stdout.strip() == idle.json("list")["jobs"][0]["job_id"]


def _wait_until_it_watches(pid: int, aerjob: CommandLine) -> None:
    """Wait until the process has the database open."""
    deadline_s = time.monotonic() + 60
    database = str(aerjob.home / "aerjob.db")
    while time.monotonic() < deadline_s:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            # It may be closed by now.
            with contextlib.suppress(FileNotFoundError):
                if os.readlink(entry) == database:
                    return
        time.sleep(0.01)
    raise AssertionError("the process does not open the store")
