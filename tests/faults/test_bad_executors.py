"""Executors that die, lie, hang or grow: their job ends with its attempts listed, and the jobs beside it are done."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from aerjob_cli.api.requests import Request
from aerjob_cli.processes import is_running
from aerjob_cli.states import Reason, Status
from aerjob_cli.store import events, jobs
from aerjob_cli.store.records import JobRecord
from tests.faults.support.bad_executors import bad_scene_in, deed
from tests.support.circuits import BELL, ENDLESS
from tests.support.command_line import CommandLine
from tests.support.running import Scene

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="executors are looked at in /proc")

FINAL = (Status.DONE, Status.ERROR, Status.CANCELLED)
# Aer's superoperator of 15 qubits segfaults where it should be refused.
SUPEROPERATOR = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[15];\nh q;\n'
ENDLESS_WHILE = """OPENQASM 3.0;
include "stdgates.inc";
qubit q;
bit c;
c = measure q;
while (!c) { c = measure q; }
"""


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A store whose worker has executors that do what the names of circuits say."""
    with bad_scene_in(tmp_path_factory.mktemp("bad") / "home", "--slots", "2") as scene:
        yield scene


def put_between_neighbours(scene: Scene, poison: Request) -> tuple[JobRecord, tuple[JobRecord, JobRecord]]:
    before, job, after = scene.put(deed("before"), poison, deed("after"))
    return job, (before, after)


def attempts_of(scene: Scene, job: JobRecord) -> list[str]:
    """Give what each attempt ended in, in the words of the history."""
    history = scene.peek(lambda tx: events.history(tx, job.seq)) or []
    return [event.why for event in history if event.from_status is Status.RUNNING]


def require_poison(scene: Scene, poison: Request, cause: str) -> JobRecord:
    """Have a job end its executors, and see that this ends it, with its attempts listed, and no other job."""
    job, neighbours = put_between_neighbours(scene, poison)
    ended = scene.wait_for_status(job, *FINAL)
    assert (ended.status, ended.reason, ended.attempt) == (Status.ERROR, Reason.EXECUTOR_CRASHED, 3), ended
    assert cause in (ended.message or ""), ended.message
    attempts = attempts_of(scene, job)
    assert len(attempts) == 3
    assert all(cause in why for why in attempts), attempts
    for neighbour in neighbours:
        assert scene.wait_for_status(neighbour, *FINAL).status is Status.DONE
    return ended


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("abort", "it died of SIGABRT"),
        ("segfault", "it died of SIGSEGV"),
        ("exit 0", "it ended with code 0"),
        ("exit 3", "it ended with code 3"),
        ("close-pipe", "it closed its pipe"),
        ("garbage " + "ff" * 64, "it sent what is no message"),
        ("garbage " + "0000000200000000000000007b7d", "it sent what is no message"),  # {} has no kind
        ("garbage " + "00000001000000000000000031", "it sent what is no message"),  # 1 is no object
        ("half die", "it ended with code 0"),
        ("half close", "it closed its pipe"),
        ("say done", "sent 'done' out of turn"),
        ("say ready", "sent 'ready' out of turn"),
        ("say accepted", "sent 'accepted' out of turn"),
        ("say dance", "sent 'dance' out of turn"),
        ("take-file /etc/passwd", "sent 'chunk' out of turn"),
    ],
)
def test_a_job_whose_executors_misbehave_ends_after_three_attempts_and_its_neighbours_are_done(
    bad: Scene, name: str, cause: str
) -> None:
    require_poison(bad, deed(name), cause)


def test_a_simulation_that_segfaults_ends_after_three_attempts_and_its_neighbours_are_done(bad: Scene) -> None:
    # Validation refuses it; a plan is what a job has that needs none.
    options = {"method": "superop", "save_state": True}
    require_poison(bad, deed("c", SUPEROPERATOR, backend="aer_simulator", options=options), "it died of SIGSEGV")


def test_the_attempts_of_a_poison_job_are_listed_for_a_person(bad: Scene, tmp_path: Path) -> None:
    job = require_poison(bad, deed("abort"), "it died of SIGABRT")
    shown = CommandLine(bad.paths.home, tmp_path)("show", job.job_id).stdout
    for attempt in (1, 2, 3):
        assert any(
            line.startswith("history") and f"\t{attempt}\t" in line and "SIGABRT" in line for line in shown.splitlines()
        ), shown


def test_circuits_that_crash_the_validator_twice_are_refused_and_their_neighbours_are_done(bad: Scene) -> None:
    job, neighbours = put_between_neighbours(bad, deed("check segfault"))
    refused = bad.wait_for_status(job, *FINAL)
    assert (refused.status, refused.reason) == (Status.ERROR, Reason.INVALID_CIRCUIT)
    assert "SIGSEGV" in (refused.message or "")
    history = bad.peek(lambda tx: events.history(tx, job.seq)) or []
    assert [event.to_status for event in history].count(Status.VALIDATING) == 2
    for neighbour in neighbours:
        assert bad.wait_for_status(neighbour, *FINAL).status is Status.DONE


def test_a_validator_that_says_nothing_can_be_cancelled(bad: Scene) -> None:
    (job,) = bad.put(deed("check half stay"))
    bad.wait_for_status(job, Status.VALIDATING)
    (ended,) = bad.client.cancel_all([job])
    assert (ended.status, ended.reason) == (Status.CANCELLED, Reason.USER_CANCELLED)


@pytest.mark.parametrize("name", ["grow", "check grow"])
def test_a_growing_executor_is_ended_at_its_jobs_memory_and_not_tried_again(bad: Scene, name: str) -> None:
    is_validated = name.startswith("check")
    job, neighbours = put_between_neighbours(bad, deed(name, max_memory_mb=64))
    ended = bad.wait_for_status(job, *FINAL)
    reason = Reason.INVALID_CIRCUIT if is_validated else Reason.OUT_OF_MEMORY
    assert (ended.status, ended.reason, ended.attempt) == (Status.ERROR, reason, 0 if is_validated else 1)
    assert "it needed more than its 64 MiB of memory" in (ended.message or "")
    for neighbour in neighbours:
        assert bad.wait_for_status(neighbour, *FINAL).status is Status.DONE


def with_its_executor(job: JobRecord, tx: Connection) -> JobRecord | None:
    found = jobs.find(tx, job.job_id)
    return None if found.executor_pid is None else found


SILENT = {
    "an endless while": ("c", ENDLESS_WHILE, "openqasm3"),
    "half a message": ("half stay", BELL, "openqasm2"),
    "a long simulation": ("c", ENDLESS, "openqasm2"),
}


@pytest.mark.parametrize("silent", SILENT)
def test_an_executor_that_never_answers_is_gone_when_its_job_is_cancelled(bad: Scene, silent: str) -> None:
    name, text, form = SILENT[silent]
    (job,) = bad.put(deed(name, text, format=form))
    running = bad.wait(partial(with_its_executor, job))
    assert running.executor_pid is not None
    assert running.executor_started is not None
    if silent == "a long simulation":
        # A stopped process heeds nothing but SIGKILL.
        os.kill(running.executor_pid, signal.SIGSTOP)
    (ended,) = bad.client.cancel_all([job])
    assert (ended.status, ended.reason) == (Status.CANCELLED, Reason.USER_CANCELLED)
    assert not is_running(running.executor_pid, running.executor_started)


@pytest.mark.parametrize("silent", SILENT)
def test_an_executor_that_never_answers_is_ended_by_the_time_limit(bad: Scene, silent: str) -> None:
    name, text, form = SILENT[silent]
    job, neighbours = put_between_neighbours(bad, deed(name, text, format=form, time_limit_s=0.5))
    ended = bad.wait_for_status(job, *FINAL)
    assert (ended.status, ended.reason, ended.attempt) == (Status.ERROR, Reason.TIMED_OUT, 1)
    for neighbour in neighbours:
        assert bad.wait_for_status(neighbour, *FINAL).status is Status.DONE
