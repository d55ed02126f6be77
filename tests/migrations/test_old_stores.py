"""A store that an earlier aerjob has left: refused until it is upgraded, then all of it is there and goes on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerjob_cli.cli.app import command_tree
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.revisions import HEAD, KNOWN
from tests.cli.conftest import Quick
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine
from tests.support.command_tree import leaves
from tests.support.old_stores import STORES, schema_of, unpack

# Arguments with which each command would do something.
ARGUMENTS = {
    "submit": "bell.qasm",
    "run": "bell.qasm",
    "wait": "last",
    "status": "last",
    "show": "last",
    "explain": "last",
    "cancel": "last",
    "retry": "last",
    "rm": "last",
    "tag": "last --add a",
    "hold": "last",
    "release": "last",
    "set": "last --priority 1",
    "result": "last",
    "plot": "last -o counts.png",
    "export": "last -o jobs.zip",
    "import": "jobs.zip",
    "store backup": "copy",
    "store prune": "--older-than 0s --yes",
}
# These have something to say where a store cannot be used.
WITHOUT_STORE = {
    *("backends", "completion", "estimate", "schema", "version"),
    *("worker disable", "worker logs", "worker enable"),
    "store upgrade",
}
COMMANDS = sorted({" ".join(path) for path, _ in leaves(command_tree())} - WITHOUT_STORE)


@pytest.fixture
def old(home: Path) -> StorePaths:
    return unpack("0001", home)


def test_each_earlier_schema_has_a_store_here() -> None:
    assert sorted(path.name for path in STORES.iterdir()) == sorted(set(KNOWN) - {HEAD})


def test_every_command_refuses_and_says_what_to_do(old: StorePaths, aerjob: CommandLine) -> None:
    (aerjob.folder / "bell.qasm").write_text(BELL)
    before = old.database.read_bytes()
    for command in COMMANDS:
        done = aerjob(*f"{command} {ARGUMENTS.get(command, '')}".split())
        assert done.returncode == 5, (command, done)
        # The doctor's answer is what it has found.
        said, unsaid = (done.stdout, "") if command == "doctor" else (done.stderr, done.stdout)
        assert "aerjob store upgrade" in said, (command, done)
        assert unsaid == "", (command, done)
    assert aerjob.json("list", exit_code=5)["error"]["code"] == "store_outdated"
    assert old.database.read_bytes() == before


def test_after_the_upgrade_all_is_there_and_goes_on(old: StorePaths, aerjob: CommandLine) -> None:
    answer = aerjob.json("store", "upgrade")
    assert (answer["outcome"], answer["from"], answer["to"]) == ("upgraded", "0001", HEAD)
    assert schema_of(Path(answer["backup"])) == "0001"
    assert aerjob.json("store", "upgrade") == {
        "schema_version": 1,
        "outcome": "already_current",
        "from": HEAD,
        "to": HEAD,
        "backup": None,
    }
    assert aerjob.json("store", "check")["sound"]

    jobs = {job["name"]: job for job in aerjob.json("list", "-n", "20")["jobs"]}
    assert {name: job["status"] for name, job in jobs.items()} == {
        "bell": "DONE",
        "large": "DONE",
        "broken": "ERROR",
        None: "DONE",
        "interrupted": "RUNNING",
        "queued": "QUEUED",
        "cancelled": "CANCELLED",
    }
    assert (jobs["bell"]["tags"], jobs["broken"]["reason"]) == (["größer", "kept"], "INVALID_CIRCUIT")
    counts = {
        name: [experiment["counts"] for experiment in aerjob.json("result", jobs[name]["job_id"])["experiments"]]
        for name in ("bell", "large", None)
    }
    # What the earlier aerjob printed.
    assert counts == {
        "bell": [{"00": 489, "11": 511}],
        "large": [{"00": 257, "11": 243}],
        None: [{"000": 109, "111": 91}, {"0": 104, "1": 96}],
    }

    pending = [jobs["queued"]["job_id"], jobs["interrupted"]["job_id"]]
    assert aerjob("wait", *pending).returncode == 0
    ended = {job["name"]: job for job in aerjob.json("status", *pending)["jobs"]}
    assert (ended["queued"]["status"], ended["queued"]["attempt"]) == ("DONE", 1)
    assert (ended["interrupted"]["status"], ended["interrupted"]["attempt"]) == ("DONE", 2)
    (experiment,) = aerjob.json("result", pending[0])["experiments"]
    assert sum(experiment["counts"].values()) == experiment["shots"] == 300
    assert aerjob.json("store", "check")["sound"]


@pytest.fixture
def here(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Quick]:
    """The command line in this process."""
    monkeypatch.setenv("AERJOB_HOME", str(home))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield Quick(capsys)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_what_had_begun_with_the_second_schema_goes_on(home: Path, here: Quick) -> None:
    unpack("0002", home)
    assert here.json("store", "upgrade")["from"] == "0002"
    jobs = {job["name"]: job for job in here.json("list", "--all")["jobs"]}
    assert here("wait", jobs["interrupted"]["job_id"], jobs["queued"]["job_id"])[0] == 0
    assert here.json("store", "check")["sound"]
    (bell,) = here.json("result", jobs["bell"]["job_id"])["experiments"]
    # What the earlier aerjob printed.
    assert bell["counts"] == {"11": 511, "00": 489}

    shown = here.json("show", jobs["interrupted"]["job_id"], "--experiments")
    before, after = shown["experiments"]
    assert ((before["attempt"], before["method"]), after["attempt"]) == ((1, None), 2)
    assert after["seed"] == 11 + 2113
    first, second = (attempt["runtime"] for attempt in shown["provenance"]["attempts"])
    assert first is None
    assert second["aerjob"]
    # Not of all experiments.
    assert shown["provenance"]["time_taken_s"] is None

    answer = here.json("retry", jobs["wide"]["job_id"], jobs["broken"]["job_id"], "--verify")
    assert [item["outcome"] for item in answer["verifications"]] == ["identical", "identical"]
