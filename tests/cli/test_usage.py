"""What is typed wrongly: exit 2, one sentence, no store needed."""

from __future__ import annotations

import json

import pytest

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


@pytest.mark.parametrize("arguments", WRONG)
def test_one_sentence_on_stderr(aerjob: CommandLine, arguments: tuple[str, ...]) -> None:
    done = aerjob(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("aerjob: ")
    assert len(done.stderr.splitlines()) <= 2


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
    *(("worker", verb) for verb in ("start", "stop", "status", "run", "logs")),
]


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_an_example_and_the_exit_codes(aerjob: CommandLine, verb: tuple[str, ...]) -> None:
    done = aerjob(*verb, "--help")
    assert done.returncode == 0
    assert f"Example:\n    aerjob {' '.join(verb)}" in done.stdout
    assert "Exit codes:\n    0 " in done.stdout


def test_the_overview_lists_every_verb(aerjob: CommandLine) -> None:
    done = aerjob("--help")
    assert done.returncode == 0
    assert all(f"\n  {verb[0]} " in done.stdout for verb in VERBS)


def test_the_version(aerjob: CommandLine) -> None:
    done = aerjob("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("aerjob ")
    assert not aerjob.home.exists()
