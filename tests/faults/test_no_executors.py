"""No executor can be made: the jobs wait, no attempt is charged, and whoever waits is told why in a sentence."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aerjob_cli.states import Status
from aerjob_cli.store import events
from tests.faults.support.bad_executors import deed
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine
from tests.support.running import Scene, scene_in, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="injects errors with strace")

STRACE = shutil.which("strace")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with scene_in(tmp_path / "home") as made:
        yield made


@contextmanager
def first_fork_fails(pid: int) -> Iterator[None]:
    """Have the first fork of a process fail as it does when no more processes are allowed."""
    calls = "clone,clone3,fork,vfork"
    command = [str(STRACE), "-p", str(pid), "-e", f"trace={calls}", "-e", f"inject={calls}:error=EAGAIN:when=1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        assert "attached" in tracer.stderr.readline()
        try:
            yield
        finally:
            tracer.terminate()


@pytest.mark.skipif(STRACE is None, reason="needs strace")
def test_a_job_whose_executor_cannot_be_forked_runs_later_and_is_charged_no_attempt(scene: Scene) -> None:
    scene.start_worker("--slots", "1")
    until(lambda: "executors can start" in scene.log() or None)
    with first_fork_fails(scene.wait(lambda tx: scene.worker().children or None)[0].pid):
        (job,) = scene.put(deed("c", max_attempts=1))
        done = scene.wait_for_status(job, Status.DONE)
    assert (done.attempt, done.attempts_charged) == (2, 0)
    history = scene.peek(lambda tx: events.history(tx, job.seq)) or []
    assert any("could not be started (Resource temporarily unavailable)" in event.why for event in history), history


def test_without_a_qiskit_that_works_the_jobs_wait_and_whoever_waits_is_told_why(scene: Scene, tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "qiskit"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text('raise ImportError("libaer.so: no such file")')
    (tmp_path / "bell.qasm").write_text(BELL)
    (queued,) = scene.put(deed("c", max_attempts=1))
    aerjob = CommandLine(scene.paths.home, tmp_path)
    done = aerjob("run", "bell.qasm", env={"PYTHONPATH": str(broken.parent)})
    assert (done.returncode, done.stdout) == (70, "")
    assert "executors cannot be started: ImportError: libaer.so: no such file" in done.stderr
    assert "Traceback" not in done.stderr + scene.log()
    assert "worker ends: executors cannot be started: ImportError: libaer.so: no such file" in scene.log()
    # What was broken is mended: both run as if they had just come.
    waited = aerjob("wait", queued.job_id, "last")
    assert waited.returncode == 0, waited
    for job in (queued, *scene.client.resolve(["last"])):
        ended = scene.client.find(job.job_id)
        assert (ended.status, ended.attempts_charged) == (Status.DONE, 0)
