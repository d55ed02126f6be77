"""`retry --verify`, and what `show` says of where a result comes from: with a worker, and by hand."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from aerjob_cli.api.requests import Plan
from aerjob_cli.cli.schemas import schema_of
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.records import RunFacts
from tests.cli.conftest import Put, Quick
from tests.support.circuits import BELL, ENDLESS
from tests.support.command_line import CommandLine
from tests.support.running import Scene
from tests.support.staging import Stage

# A gate of the user's own, which is translated.
OWN_GATE = BELL.replace("qreg q[2];", "gate mine a,b { h a; cx a,b; }\nqreg q[2];").replace(
    "h q[0];\ncx q[0],q[1];", "mine q[0],q[1];"
)
# What no simulator gives of that.
ODD = {"data": {"counts": {"0x1": 100}}, "shots": 100, "metadata": {"method": "stabilizer"}}
EARLIER = {"aerjob": "0.1.0", "qiskit": "2.0.0", "qiskit_aer": "0.17.0"}


@dataclass(frozen=True)
class Known:
    """Jobs in a store with a worker: one that has run, and three that somebody led to their end by hand."""

    done: str
    odd: str
    failed: str
    cancelled: str


@pytest.fixture(scope="module")
def known(working_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Known:
    aerjob = CommandLine(working_home, tmp_path_factory.mktemp("verifying"))
    (aerjob.folder / "own.qasm").write_text(OWN_GATE)
    scene = Scene(working_home)
    with Stage(scene.paths) as stage:
        (odd,) = scene.put(scene.request(OWN_GATE, plan=Plan(1, 1)))
        stage.start(odd, runtime=EARLIER)
        stage.record(odd, 0, data=json.dumps(ODD).encode(), run=RunFacts(seed=7, threads=4))
        stage.finish(odd)
        (failed,) = scene.put(scene.request(ENDLESS, plan=Plan(1, 1)))
        stage.start(failed)
        stage.fail(failed)
        (cancelled,) = scene.put(scene.request(OWN_GATE))
        scene.client.cancel(cancelled)
    scene.client.close()
    (job,) = aerjob.json("run", "own.qasm", "--seed", "3", "--shots", "100")["jobs"]
    return Known(job["job_id"], odd.job_id, failed.job_id, cancelled.job_id)


@pytest.fixture
def here(working_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Quick]:
    """The command line on that store, in this process."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setenv("AERJOB_HOME", str(working_home))
    yield Quick(capsys)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_repeated_job_is_identical(known: Known, here: Quick) -> None:
    exit_code, stdout, stderr = here("retry", known.done, "--verify")
    first, second, verdict = stdout.rstrip("\n").split("\t")
    assert (exit_code, first, verdict) == (0, known.done, "identical")
    assert stderr == f"job {second}\n"
    shown = here.json("show", second)
    assert (shown["retry_of"], shown["status"]) == (known.done, "DONE")


def test_what_differs_is_told_and_what_it_ran_with(known: Known, here: Quick) -> None:
    exit_code, stdout, stderr = here("retry", known.odd, "--verify", "--quiet")
    assert exit_code == 1
    verdict, *differences = stdout.splitlines()
    assert verdict.endswith("\tdiffers")
    assert any(line.startswith("# experiment 0, counts: 3 of 3 outcomes are counted otherwise") for line in differences)
    assert "and not 2.0.0" in stderr
    assert "threads 1, and not 4" in stderr

    both = here.json("retry", known.odd, known.done, "--verify", exit_code=1)["verifications"]
    assert [item["outcome"] for item in both] == ["differs", "identical"]
    assert [item["job_id"] for item in both] == [known.odd, known.done]
    assert both[0]["experiments_differing"] == 1
    (qiskit,) = [item for item in both[0]["conditions"] if item["what"] == "qiskit"]
    assert qiskit["first"] == "2.0.0"


def test_a_wait_that_is_over_leaves_the_job(known: Known, here: Quick) -> None:
    answer = here.json("retry", known.failed, "--verify", "--timeout", "0.2", exit_code=124)
    assert list(Draft202012Validator(schema_of(["retry"])).iter_errors(answer)) == []
    (item,) = answer["verifications"]
    assert (answer["error"]["code"], item["outcome"]) == ("wait_timed_out", "not_compared")
    again = item["again"]["job_id"]
    assert here.json("cancel", again)["jobs"][0]["status"] == "CANCELLED"


def test_nothing_is_begun_for_a_job_that_was_cancelled(known: Known, here: Quick) -> None:
    before = here.json("list", "--all")["jobs"]
    error = here.json("retry", known.done, known.cancelled, "--verify", exit_code=4)["error"]
    assert error["code"] == "job_cancelled"
    assert here.json("list", "--all")["jobs"] == before


def test_show_says_where_the_result_comes_from(known: Known, here: Quick, working: CommandLine) -> None:
    shown = here.json("show", known.done, "--experiments")
    (experiment,) = shown["experiments"]
    assert (experiment["seed"], experiment["method"], experiment["threads"]) == (3, "stabilizer", 1)
    assert experiment["time_taken_s"] == shown["provenance"]["time_taken_s"] > 0
    assert shown["provenance"]["methods"] == ["stabilizer"]
    (attempt,) = shown["provenance"]["attempts"]
    assert attempt["runtime"].keys() >= {"aerjob", "python", "qiskit", "qiskit_aer", "numpy", "cpu", "system"}
    lines = here("show", known.done, "--experiments")[1].splitlines()
    (row,) = [line.split("\t") for line in lines if line.startswith("experiment\t")]
    assert row[1:7] == ["0", "own", "1", "3", "stabilizer", "1"]
    (versions,) = [line for line in lines if line.startswith("ran with\t")]
    assert f"Qiskit {attempt['runtime']['qiskit']}" in versions
    terminal = working.on_a_terminal("show", known.done, "--experiments")
    assert "Experiments" in terminal
    assert "stabilizer" in terminal


def test_the_executed_circuit_is_drawn(known: Known, here: Quick) -> None:
    (submitted,) = here.json("show", known.done, "--circuit")["circuits"]
    exit_code, stdout, stderr = here("show", known.done, "--circuit", "--executed", "--experiment", "0", "--json")
    value = json.loads(stdout)
    (executed,) = value["circuits"]
    assert submitted["operations"] == {"measure": 2, "mine": 1}
    assert executed["operations"] == {"measure": 2, "h": 1, "cx": 1}
    assert value["translated_by"].keys() == {"qiskit", "qiskit_aer"}
    # The job ran with the same versions: there is nothing to say.
    assert (exit_code, stderr) == (0, "")
    remark = here("show", known.odd, "--circuit", "--executed")[2]
    assert "the job ran with Qiskit 2.0.0, Aer 0.17.0, which may translate otherwise" in remark


def test_attempts_of_several_versions_are_told_apart(quick: Quick, put: Put, home: Path) -> None:
    job = put(plan=Plan(3, 1))
    later = EARLIER | {"qiskit": "2.1.0"}
    with Stage(StorePaths(home)) as stage:
        stage.start(job, runtime=EARLIER)
        stage.record(job, 0, run=RunFacts(seed=2**64 - 1, method="a", time_taken_s=1.5, peak_rss_bytes=2**20))
        stage.crash(job)
        stage.start(job, runtime=later)
        stage.record(job, 1, run=RunFacts(method="b", time_taken_s=0.5, peak_rss_bytes=3 * 2**20))
        stage.crash(job)
        stage.start(job)
        shown = quick.json("show", job.job_id, "--experiments")
        assert [item["runtime"] for item in shown["provenance"]["attempts"]] == [EARLIER, later, None]
        assert [item["attempt"] for item in shown["experiments"]] == [1, 2]
        assert shown["experiments"][0]["seed"] == 2**64 - 1
        known = {key: shown["provenance"][key] for key in ("methods", "time_taken_s", "peak_rss_bytes")}
        assert known == {"methods": ["a", "b"], "time_taken_s": 2.0, "peak_rss_bytes": 3 * 2**20}
        # One of which nobody knows how long it took: neither is it known of all of them.
        stage.record(job, 2)
        stage.finish(job)
    assert quick.json("show", job.job_id)["provenance"]["time_taken_s"] is None
    facts = [line.split("\t") for line in quick("show", job.job_id)[1].splitlines()]
    told = [value for label, value, *_ in facts if label == "ran with"]
    assert told == [
        "aerjob 0.1.0, Qiskit 2.0.0, Aer 0.17.0 (attempt 1)",
        "aerjob 0.1.0, Qiskit 2.1.0, Aer 0.17.0 (attempt 2)",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "last", "--executed"),
        ("show", "last", "--experiments", "--circuit"),
        ("show", "last", "--experiments", "--source"),
        ("retry", "last", "--timeout", "1"),
        ("retry", "last", "--quiet"),
    ],
)
def test_options_that_say_nothing_together(quick: Quick, put: Put, arguments: tuple[str, ...]) -> None:
    put()
    exit_code, stdout, stderr = quick(*arguments)
    assert (exit_code, stdout, len(stderr.splitlines())) == (2, "", 1)


def test_what_was_not_found_valid_is_not_executed(quick: Quick, put: Put) -> None:
    job = put()
    exit_code, stdout, stderr = quick("show", job.job_id, "--circuit", "--executed")
    assert (exit_code, stdout) == (6, "")
    assert "has not been found valid" in stderr
