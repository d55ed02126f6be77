"""`worker status` of a worker at work: its jobs, its processes and their memory, as JSON and on terminals."""

from __future__ import annotations

import os
import pty
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.circuits import ENDLESS, ENDLESS_AND_SMALL
from tests.support.command_line import DEADLINE_S, CommandLine


def _busy_worker(aerjob: CommandLine, *, jobs: int) -> dict[str, Any]:
    """Wait until the worker runs that many jobs, and has written down its processes."""
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        (worker,) = aerjob.json("worker", "status")["workers"]
        roles = [process["role"] for process in worker["processes"]]
        if len(worker["running_jobs"]) == jobs and roles.count("executor") >= jobs:
            return dict(worker)
    raise AssertionError("the deadline of the test is over")


def _screen(aerjob: CommandLine, *, columns: int) -> list[str]:
    master, slave = pty.openpty()
    environment = aerjob.environment({"COLUMNS": str(columns), "TERM": "dumb"})
    with subprocess.Popen(
        aerjob.command("worker", "status"), cwd=aerjob.folder, env=environment, stdin=slave, stdout=slave, stderr=slave
    ):
        os.close(slave)
        read = b""
        try:
            while part := os.read(master, 4096):
                read += part
        except OSError:  # Linux's way to say that the other end is closed
            pass
    os.close(master)
    return read.decode().replace("\r", "").splitlines()


def test_a_worker_at_work(aerjob: CommandLine, tmp_path: Path) -> None:
    # Of two that want all cores the second would wait.
    (tmp_path / "endless.qasm").write_text(ENDLESS)
    (tmp_path / "small.qasm").write_text(ENDLESS_AND_SMALL)
    aerjob.json("worker", "start", "--slots", "2")
    job_ids = aerjob("submit", "endless.qasm", "small.qasm").stdout.split()
    worker = _busy_worker(aerjob, jobs=2)

    assert sorted(worker["running_jobs"]) == sorted(job_ids)
    assert [process["role"] for process in worker["processes"]][:2] == ["worker", "template"]
    assert worker["processes"][0]["pid"] == worker["pid"]
    sizes = [process["rss_bytes"] for process in worker["processes"]]
    assert worker["rss_bytes"] == sum(sizes)
    assert all(10_000_000 < size < 10_000_000_000 for size in sizes)
    assert aerjob.json("worker", "status")["service"] is None

    for columns in (80, 140):
        lines = _screen(aerjob, columns=columns)
        assert max(map(len, lines)) <= columns
        text = "\n".join(lines)
        assert f"pid {worker['pid']}, taking jobs" in text
        assert "2 of 2 busy" in text
        assert all(job_id in text for job_id in job_ids)
        assert "executors" in text
        assert "2 running" in text


@pytest.mark.parametrize("columns", [80, 140])
def test_no_worker(idle: CommandLine, columns: int) -> None:
    lines = _screen(idle, columns=columns)
    assert lines[0].split() == ["worker", "none", "runs"]
