"""`worker logs`: the end of a log that is renamed when it is long, and what comes after."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aerjob_cli.worker.log_file import rotate
from tests.support.command_line import CommandLine


@pytest.fixture
def log(home: Path) -> Path:
    home.mkdir(mode=0o700)
    return home / "worker.log"


@contextmanager
def _following(aerjob: CommandLine, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = aerjob.start("worker", "logs", "--follow", *arguments)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def test_a_log_that_is_not_there(aerjob: CommandLine) -> None:
    done = aerjob("worker", "logs")
    assert (done.returncode, done.stdout) == (0, "")
    assert "no worker has written a log" in done.stderr
    assert aerjob.json("worker", "logs") == {"schema_version": 1, "lines": [], "elsewhere": None}


def test_the_end_reaches_back_into_older_parts(aerjob: CommandLine, log: Path) -> None:
    for part in ("one\ntwo\n", "three\n", "four\nfive\n"):
        rotate(log)
        log.write_text(part)
    assert aerjob.json("worker", "logs", "-n", "4")["lines"] == ["two", "three", "four", "five"]
    assert aerjob.json("worker", "logs", "-n", "1")["lines"] == ["five"]
    assert aerjob("worker", "logs").stdout.split() == ["one", "two", "three", "four", "five"]


def test_following_across_a_rotation_until_ctrl_c(aerjob: CommandLine, log: Path) -> None:
    log.write_text("old\nlast\n")
    with _following(aerjob, "-n", "1") as process:
        assert _line(process) == "last"
        with log.open("a") as file:
            file.write("new\nhalf a ")
            file.flush()
            assert _line(process) == "new"
            rotate(log)
            # A process that still has the old file ends its line there.
            file.write("line\n")
        log.write_text("after\n")
        assert _line(process) == "half a line"
        assert _line(process) == "after"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130


def test_following_as_json(aerjob: CommandLine, log: Path) -> None:
    log.write_text("one\n")
    with _following(aerjob, "--json") as process:
        assert json.loads(_line(process))["lines"] == ["one"]
        with log.open("a") as file:
            file.write("two\n")
        assert json.loads(_line(process)) == {"schema_version": 1, "lines": ["two"], "elsewhere": None}
        process.terminate()
        assert process.wait(timeout=60) == 143


def test_following_a_log_that_was_emptied(aerjob: CommandLine, log: Path) -> None:
    log.write_text("a long line that is gone\n")
    with _following(aerjob) as process:
        assert _line(process) == "a long line that is gone"
        log.write_text("anew\n")
        assert _line(process) == "anew"


def test_following_ends_when_nobody_reads(aerjob: CommandLine, log: Path) -> None:
    log.write_text("one\n")
    done = aerjob.shell("aerjob worker logs --follow | head -n 1; echo ${PIPESTATUS[@]}")
    assert done.stdout.split() == ["one", "0", "0"]


def test_a_service_that_logs_to_the_journal_is_named(aerjob: CommandLine, log: Path, tmp_path: Path) -> None:
    log.write_text("one\n")
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    planned = json.loads(aerjob("worker", "enable", "--print", "--json", env=environment).stdout)
    unit = Path(planned["path"])
    link = unit.parent / "default.target.wants" / unit.name
    link.parent.mkdir(parents=True)
    unit.write_text(planned["text"])
    link.symlink_to(unit)
    done = aerjob("worker", "logs", env=environment)
    assert done.stdout == "one\n"
    assert f"journalctl --user -u {unit.name}" in done.stderr


def test_a_log_that_cannot_be_read(aerjob: CommandLine, log: Path) -> None:
    log.mkdir()
    error = aerjob.json("worker", "logs", exit_code=5)["error"]
    assert "cannot be read" in error["message"]
    assert aerjob("worker", "logs", "--follow").returncode == 5
