"""Every command's JSON output, run for real, has the form that is published."""

from __future__ import annotations

import copy
import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from aerjob_cli.cli.app import command_tree
from aerjob_cli.cli.boundary import run
from aerjob_cli.cli.schemas import schema_of, whole_schema
from aerjob_cli.codec.option_tables import SEED_LIMIT
from aerjob_cli.states import Reason, Status
from aerjob_cli.store.problems import ProblemKind
from tests.cli.conftest import BAD, Put
from tests.support.circuits import BELL, ENDLESS
from tests.support.command_line import CommandLine
from tests.support.command_tree import leaves

TURNED = """OPENQASM 3.0;
include "stdgates.inc";
input float theta;
qubit q;
bit c;
ry(theta) q;
c = measure q;
"""
Value = dict[str, Any]
Call = Callable[..., tuple[int, str, str]]

COMMANDS = [
    " ".join(path)
    for path, command in leaves(command_tree())
    if any("--json" in parameter.opts for parameter in command.params)
]
# Where a store cannot be used, these still have something to say.
WITHOUT_STORE = {"backends", "completion", "doctor", "estimate", "schema", "version", "worker disable", "worker logs"}
# What each command is run with, and its exit code. {done}, {state}, … are jobs of the store below.
EXAMPLES: dict[str, list[tuple[str, int]]] = {
    "submit": [("bell.qasm --quiet", 0), ("bell.qasm bad.qasm", 6), ("bell.qasm --wait", 0)],
    "run": [("bell.qasm bad.qasm --memory", 6), ("bell.qasm --backend statevector_simulator", 0)],
    "status": [("{done} {error} {cancelled} {state}", 0), ("--group g", 0)],
    "wait": [("{done} {error} {cancelled}", 1)],
    "watch": [("", 0), ("{done} {error}", 0)],
    "top": [("", 0)],
    "result": [
        ("{done}", 0),
        ("{done} --top 1", 0),
        ("{state}", 0),
        ("{state} --top 3", 0),
        ("{memory}", 0),
        ("{value}", 0),
        ("{samples}", 0),
        ("{swept}", 0),
        ("--group g", 1),
    ],
    "plot": [("{done} -o counts.png --force", 0), ("{swept} -o curve.png --force", 0)],
    "estimate": [("bell.qasm", 0), ("bell.qasm --method stabilizer --shots 5", 0)],
    "explain": [("{done} {error}", 0)],
    "events": [("{done}", 0), ("--group g --limit 1", 0)],
    "list": [("", 0), ("--status RUNNING --tag none", 0), ("--all --sort name", 0)],
    "show": [
        ("{done}", 0),
        ("{error}", 0),
        ("{cancelled}", 0),
        ("{done} --circuit", 0),
        ("{done} --experiments", 0),
        ("{waiting}", 0),
        ("{unwanted}", 0),
    ],
    "cancel": [("{cancelled} {done}", 0), ("{done} --dry-run", 0)],
    "retry": [("{done} {error}", 0), ("--failed --dry-run --group g", 0), ("{done} {error} --verify", 0)],
    "rm": [("--status done --dry-run", 0), ("{unwanted}", 0)],
    "export": [("{done} {error} {state} -o jobs.zip --force", 0)],
    "import": [("jobs.zip", 0), ("jobs.zip --dry-run", 0)],
    "hold": [("{waiting}", 0), ("--older-than 0s --dry-run", 0)],
    "set": [("{waiting} --priority 5", 0)],
    "release": [("{waiting}", 0)],
    "tag": [("{done} --add one --add two --remove three", 0), ("--name bell --add four --dry-run", 0)],
    "worker start": [("", 0)],
    "worker status": [("", 0)],
    "worker logs": [("", 0), ("-n 1", 0)],
    "worker enable": [("--print", 0)],
    "worker disable": [("", 0)],
    "store info": [("", 0)],
    "store check": [("", 0), ("--quick", 0)],
    "store backup": [("copy", 0)],
    "store clean": [("", 0)],
    "store prune": [
        ("--older-than 0s --dry-run", 0),
        ("--older-than 0s --results --circuits --dry-run", 0),
    ],
    "store upgrade": [("", 0)],
    "doctor": [("", 0)],
    "backends": [("", 0)],
    "version": [("", 0)],
    "completion": [("bash", 0)],
    "schema": [("", 0), ("worker status", 0)],
    # The last one, since the others want a worker.
    "worker stop": [("", 0), ("", 0)],
}


class _Last(dict[str, str]):
    def __missing__(self, _: str) -> str:
        return "last"


LAST = _Last()


@dataclass(frozen=True)
class Furnished:
    """A store with a job of each kind, and the folder with the circuits."""

    aerjob: CommandLine
    job_ids: dict[str, str]

    def values(self, command: str, arguments: str) -> tuple[int, list[Value]]:
        """Run a command with ``--json``; give its exit code and the values it printed, a line each."""
        done = self.aerjob(*command.split(), *arguments.format(**self.job_ids).split(), "--json", env=self.environment)
        assert all(ord(character) < 128 for character in done.stdout)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    @property
    def environment(self) -> dict[str, str]:
        """No service of whoever runs the tests is looked at."""
        return {"HOME": str(self.aerjob.folder), "XDG_CONFIG_HOME": str(self.aerjob.folder / "config")}


@pytest.fixture(scope="module")
def furnished(working_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    folder = tmp_path_factory.mktemp("furnished")
    (folder / "bell.qasm").write_text(BELL)
    (folder / "bad.qasm").write_text(BAD)
    (folder / "endless.qasm").write_text(ENDLESS)
    (folder / "turned.qasm").write_text(TURNED)
    aerjob = CommandLine(working_home, folder)

    def submitted(*arguments: str, exit_code: int = 0) -> str:
        return str(aerjob.json("submit", *arguments, exit_code=exit_code)["jobs"][0]["job_id"])

    job_ids = {
        "cancelled": submitted("endless.qasm", "--name", "caf\u00e9 \x1b[31m"),
        "done": submitted("bell.qasm", "--tag", "b", "--tag", "a", "--group", "g"),
        "state": submitted("bell.qasm", "--backend", "statevector_simulator"),
        "memory": submitted("bell.qasm", "--memory", "--shots", "5"),
        "swept": submitted("turned.qasm", "--sweep", "theta=0,pi"),
        "unwanted": submitted("bell.qasm", "--on-end", "true"),
        "value": submitted("bell.qasm", "--observable", "ZZ", "--observable", "XX=0.5", "--precision", "0.1"),
        "samples": submitted("bell.qasm", "--backend", "sampler"),
        "error": submitted("bad.qasm", "--group", "g", exit_code=6),
    }
    aerjob.json("cancel", job_ids["cancelled"])
    assert aerjob("wait", *job_ids.values()).returncode == 1
    before = submitted("bell.qasm", "--hold")
    waits_for = ("--after", job_ids["done"], "--after-ok", before, "--begin", "+1h")
    job_ids["waiting"] = submitted("bell.qasm", "--hold", *waits_for)
    return Furnished(aerjob, job_ids)


def answers_of(furnished: Furnished) -> dict[str, list[Value]]:
    """Run every example."""
    found: dict[str, list[Value]] = {}
    for command, examples in EXAMPLES.items():
        for arguments, exit_code in examples:
            code, values = furnished.values(command, arguments)
            assert code == exit_code, (command, arguments, values)
            assert len(values) == 1 or command in ("wait", "events"), (command, arguments)
            found.setdefault(command, []).extend(values)
    return found


def problems(command: str, value: Value) -> list[str]:
    """Say what is wrong with a value of this command."""
    return [error.message for error in Draft202012Validator(schema_of(command.split())).iter_errors(value)]


def test_every_command_has_a_schema_and_an_example() -> None:
    assert sorted(EXAMPLES) == sorted(COMMANDS)
    entries = {name for name in whole_schema()["$defs"] if name.startswith("aerjob-")}
    assert entries == {f"aerjob-{command.replace(' ', '-')}" for command in COMMANDS}


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(whole_schema())
    for command in COMMANDS:
        Draft202012Validator.check_schema(schema_of(command.split()))


def test_the_words_of_the_schema_are_all_that_there_are() -> None:
    definitions = whole_schema()["$defs"]
    assert definitions["status"]["enum"] == list(Status)
    assert definitions["reason"]["enum"] == [*Reason, None]
    assert definitions["seed"]["maximum"] == 2 * SEED_LIMIT + 1  # those of a job's experiments go on from its own
    problem = definitions["aerjob-store-check"]["anyOf"][0]["properties"]["problems"]["items"]
    assert problem["properties"]["kind"]["enum"] == list(ProblemKind)


# One test, so that the store is furnished once however many processes run tests.
def test_every_answer_has_the_published_form_and_no_other(furnished: Furnished) -> None:
    answers = answers_of(furnished)
    for command, values in answers.items():
        for value in values:
            assert problems(command, value) == [], (command, value)
            assert value.keys() > {"schema_version", "error"} or "error" not in value
    _require_the_states_that_are_meant(furnished, answers)
    for command, (value, *_) in answers.items():
        for changed in alterations(value) if command != "schema" else ():
            assert problems(command, changed), (command, changed)


def alterations(value: Value) -> Iterator[Value]:
    """Give values that differ in something that scripts may rely on."""
    yield value | {"schema_version": 2}
    yield value | {"surprise": 1}
    yield from (value | {name: [["surprise"]]} for name in value)
    if "error" not in value:
        yield from ({other: value[other] for other in value if other != name} for name in value)
    yield from with_a_surprise(value)


def with_a_surprise(value: Value) -> Iterator[Value]:
    """Give the value with one more key in each of its jobs, workers and what else is a list of objects."""
    for name, content in value.items():
        if isinstance(content, list) and content and isinstance(content[0], dict):
            changed = copy.deepcopy(value)
            changed[name][0]["surprise"] = 1
            yield changed


def _require_the_states_that_are_meant(furnished: Furnished, answers: dict[str, list[Value]]) -> None:
    status = {job["job_id"]: job for job in answers["status"][0]["jobs"]}
    assert {name: status[job_id]["status"] for name, job_id in furnished.job_ids.items() if job_id in status} == {
        "done": "DONE",
        "state": "DONE",
        "error": "ERROR",
        "cancelled": "CANCELLED",
    }
    assert answers["result"][3]["experiments"][0]["arrays"][0]["largest"]
    assert answers["result"][5]["experiments"][0]["expectation_values"][0]["std"] == 0.1
    assert answers["result"][5]["observables"][1] == {"pauli": "XX", "coefficient": 0.5}
    assert answers["result"][6]["experiments"][0]["counts"].keys() == {"00", "11"}
    assert answers["run"][0]["error"]["code"] == "circuit_refused"
    assert [value["outcome"] for value in answers["worker stop"]] == ["stopped", "not_running"]
    # A job that is done has no reason, and one in ERROR has.
    done = status[furnished.job_ids["done"]]
    assert problems("status", {"schema_version": 1, "jobs": [done | {"reason": "TIMED_OUT"}]})
    assert problems("status", {"schema_version": 1, "jobs": [done | {"status": "ERROR"}]})


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Run the command line in this process, on a store that is none."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    place = tmp_path / "none"
    place.write_text("a file")
    monkeypatch.setenv("AERJOB_HOME", str(place))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for circuit in ("bell.qasm", "bad.qasm"):
        Path(circuit).write_text(BELL)

    def call_it(*arguments: str) -> tuple[int, str, str]:
        exit_code = run(arguments)
        return exit_code, *capsys.readouterr()

    yield call_it
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("way", ["--json", "AERJOB_OUTPUT"])
@pytest.mark.parametrize("command", COMMANDS)
def test_usage_errors(call: Call, monkeypatch: pytest.MonkeyPatch, command: str, way: str) -> None:
    if way == "AERJOB_OUTPUT":
        monkeypatch.setenv("AERJOB_OUTPUT", "json")
    flags = [way] if way == "--json" else []
    exit_code, stdout, stderr = call(*command.split(), "--no-such-option", *flags)
    assert (exit_code, stderr) == (2, "")
    value = json.loads(stdout)
    assert value["error"]["code"] == "usage"
    assert problems(command, value) == []


@pytest.mark.parametrize("command", sorted({*COMMANDS} - WITHOUT_STORE))
def test_errors_of_the_store(call: Call, command: str) -> None:
    arguments = [argument.format_map(LAST) for argument in EXAMPLES[command][0][0].split() if argument != "--print"]
    exit_code, stdout, stderr = call(*command.split(), *arguments, "--json")
    assert (exit_code, stderr) == (5, "")
    value = json.loads(stdout)
    assert value["error"]["code"].startswith("store_")
    assert problems(command, value) == []


@pytest.mark.parametrize(("command", "arguments"), [("list", ()), ("status", ("last",)), ("status", ("none",))])
def test_the_same_wherever_it_is_printed(idle: CommandLine, put: Put, command: str, arguments: tuple[str, ...]) -> None:
    put(name="caf\u00e9 \x1b[31m")
    expected = idle(command, *arguments, "--json").stdout
    assert problems(command, json.loads(expected)) == []
    assert expected.isascii()
    for environment in ({"COLUMNS": "40"}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}):
        assert idle(command, *arguments, "--json", env=environment).stdout == expected
    assert idle(command, *arguments, env={"AERJOB_OUTPUT": "json"}).stdout == expected
    assert idle.on_a_terminal(command, *arguments, "--json").replace("\r\n", "\n") == expected


def test_a_closed_stdout(idle: CommandLine) -> None:
    done = idle.shell("aerjob list --json >&-")
    assert done.returncode == 70
    assert "the answer could not be written" in done.stderr
    # What went wrong before that is told where it can be.
    done = idle.shell("aerjob status none --json >&-")
    assert done.returncode == 3
    assert "'none'" in done.stderr
