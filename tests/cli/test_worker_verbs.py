"""`worker start|stop|status|run`."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

from aerjob_cli.processes import started_of
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import events, jobs
from aerjob_cli.store.database import Store
from tests.support.circuits import ENDLESS
from tests.support.command_line import DEADLINE_S, CommandLine


def _pid(aerjob: CommandLine) -> int:
    (worker,) = aerjob.json("worker", "status")["workers"]
    return int(worker["pid"])


def test_from_start_to_stop(aerjob: CommandLine) -> None:
    assert aerjob.json("worker", "start", "--slots", "3", "--idle-exit", "5m")["outcome"] == "started"
    assert aerjob.json("worker", "start")["outcome"] == "already_running"
    assert "already" in aerjob("worker", "start").stdout
    (worker,) = aerjob.json("worker", "status")["workers"]
    assert (worker["slots"], worker["running_jobs"], worker["draining"]) == (3, [], False)
    assert f"pid {worker['pid']}" in aerjob("worker", "status").stdout
    assert "3 slots" in aerjob("worker", "logs").stdout
    assert len(aerjob("worker", "logs", "-n", "1").stdout.splitlines()) == 1

    assert aerjob.json("worker", "stop")["outcome"] == "stopped"
    assert started_of(worker["pid"]) is None
    assert aerjob.json("worker", "status")["workers"] == []
    assert aerjob.json("worker", "stop")["outcome"] == "not_running"


def test_a_worker_that_is_gone_is_not_shown(aerjob: CommandLine) -> None:
    aerjob.json("worker", "start")
    pid = _pid(aerjob)
    assert aerjob.json("worker", "stop", "--force")["outcome"] == "killed"
    assert started_of(pid) is None
    assert aerjob.json("worker", "status")["workers"] == []


def test_a_stop_that_takes_too_long(aerjob: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "endless.qasm").write_text(ENDLESS)
    aerjob.json("worker", "start", "--drain-grace", "10m")
    job_id = aerjob("submit", "endless.qasm").stdout.strip()
    _await_running(aerjob, job_id)
    assert aerjob.json("worker", "status")["workers"][0]["running_jobs"] == [job_id]
    assert aerjob.json("worker", "status")["jobs"]["running"] == 1

    error = aerjob.json("worker", "stop", "--timeout", "300ms", exit_code=124)["error"]
    assert error["code"] == "wait_timed_out"
    assert aerjob.json("worker", "status")["workers"][0]["draining"] is True
    # An order to stop is no failure of the job, however it is carried out.
    assert aerjob.json("worker", "stop", "--force")["outcome"] == "killed"
    store = Store.open(StorePaths(aerjob.home))
    with store.reading() as tx:
        job = jobs.find(tx, job_id)
        why = events.history(tx, job.seq)[-1].why
    store.close()
    assert (job.status, job.attempt, job.attempts_charged) == (Status.QUEUED, 1, 0)
    assert why == "the worker was stopped"


def test_a_worker_in_the_foreground(aerjob: CommandLine) -> None:
    process = aerjob.start("worker", "run", "--slots", "1")
    try:
        _await(lambda: aerjob.json("worker", "status")["workers"] != [])
        assert _pid(aerjob) == process.pid
        second = aerjob("worker", "run")
        assert second.returncode == 1
        assert "already runs" in second.stderr.splitlines()[-1]
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=60)
        assert (process.returncode, stdout) == (0, "")
        assert "Traceback" not in stderr
    finally:
        process.kill()
        process.wait()


def _await_running(aerjob: CommandLine, job_id: str) -> None:
    _await(lambda: aerjob.json("status", job_id)["jobs"][0]["status"] == "RUNNING")


def _await(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline_s, "the deadline of the test is over"
