"""What is typed wrongly, and help: no store is needed, and mostly no process of its own."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aerjob_cli.cli.boundary import run
from tests.support.command_line import CommandLine

WRONG = [
    (),
    ("stat",),
    ("status",),
    ("status", "--no-such-option"),
    ("submit",),
    ("submit", "x.qasm", "--shots", "many"),
    ("submit", "x.qasm", "--timeout", "soon"),
    ("submit", "a.qasm", "b.qasm", "--idempotency-key", "k"),
    ("submit", "-", "-"),
    ("wait", "last", "--timeout", "1x"),
    ("list", "-n", "0"),
    ("list", "--status", "LOST"),
    ("result", "last", "--format", "xml"),
    ("worker",),
    ("worker", "pause"),
    ("worker", "start", "--slots", "0"),
]


Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Run the command line in this process; give its exit code, stdout and stderr."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setenv("AERJOB_HOME", str(tmp_path / "none"))

    def call_it(*arguments: str) -> tuple[int, str, str]:
        exit_code = run(arguments)
        return exit_code, *capsys.readouterr()

    yield call_it
    assert not (tmp_path / "none").exists()
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("arguments", WRONG)
def test_one_sentence_on_stderr(call: Call, arguments: tuple[str, ...]) -> None:
    exit_code, stdout, stderr = call(*arguments)
    assert (exit_code, stdout) == (2, "")
    assert stderr.startswith("aerjob: ")
    assert len(stderr.splitlines()) == 1


def test_the_same_from_outside(aerjob: CommandLine) -> None:
    done = aerjob("show")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "aerjob: Missing argument 'ID'; see `aerjob show --help`\n"


@pytest.mark.parametrize("arguments", [("status",), ("wait", "last", "--timeout", "1x")])
def test_the_same_as_json(aerjob: CommandLine, arguments: tuple[str, ...]) -> None:
    for done in (aerjob(*arguments, "--json"), aerjob(*arguments, env={"AERJOB_OUTPUT": "json"})):
        value = json.loads(done.stdout)
        assert (done.returncode, done.stderr) == (2, "")
        assert value["schema_version"] == 1
        assert value["error"]["code"] in ("usage", "invalid_duration")
        assert value["error"]["message"]


@pytest.mark.parametrize(("name", "value"), [("AERJOB_OUTPUT", "xml"), ("AERJOB_SHOTS", "many")])
def test_a_wrong_environment(aerjob: CommandLine, name: str, value: str) -> None:
    done = aerjob("list", env={name: value})
    assert (done.returncode, done.stdout) == (2, "")
    assert name in done.stderr


def test_text_that_is_not_utf8(aerjob: CommandLine) -> None:
    done = aerjob.shell("aerjob status $'ab\\xffcd'")
    assert (done.returncode, done.stdout) == (2, "")
    assert "UTF-8" in done.stderr


VERBS = [
    *(("submit",), ("run",), ("wait",), ("status",), ("list",), ("cancel",), ("result",)),
    *(("show",), ("retry",), ("rm",), ("tag",), ("hold",), ("release",), ("set",)),
    *(("worker", verb) for verb in ("start", "stop", "status", "run", "logs")),
]


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_an_example_and_the_exit_codes(call: Call, verb: tuple[str, ...]) -> None:
    exit_code, stdout, _ = call(*verb, "--help")
    assert exit_code == 0
    assert f"Example:\n    aerjob {' '.join(verb)}" in stdout
    assert "Exit codes:\n    0 " in stdout


def test_the_overview_lists_every_verb(call: Call) -> None:
    exit_code, stdout, _ = call("--help")
    assert exit_code == 0
    assert all(f"\n  {verb[0]} " in stdout for verb in VERBS)


def test_the_version(aerjob: CommandLine) -> None:
    done = aerjob("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("aerjob ")
    assert not aerjob.home.exists()
