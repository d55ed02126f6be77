"""Orders to stop a worker in the foreground, and answers that nobody takes: what is durable stays, and it is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import workers
from aerjob_cli.store.inspection import inspect_store
from aerjob_cli.store.listing import JobFilter
from tests.support.circuits import BELL, ENDLESS
from tests.support.command_line import CommandLine
from tests.support.running import Scene, gone, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks at processes in /proc")


@pytest.fixture
def aerjob(scene: Scene, tmp_path: Path) -> Iterator[CommandLine]:
    yield CommandLine(scene.paths.home, tmp_path)
    assert inspect_store(StorePaths(scene.paths.home), quick=True).is_sound


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_first_order_to_stop_drains_and_the_second_ends_at_once_without_a_charge(
    scene: Scene, aerjob: CommandLine, number: signal.Signals
) -> None:
    (job,) = scene.put(scene.request(ENDLESS))
    process = aerjob.start("worker", "run", "--slots", "1", "--drain-grace", "1h", start_new_session=True)
    try:
        scene.wait_for_executor(job)
        worker = scene.worker()
        process.send_signal(number)
        scene.wait(lambda tx: workers.is_drain_requested(tx, worker.worker_id) or None)
        assert process.poll() is None
        assert scene.client.find(job.job_id).status is Status.RUNNING
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "Traceback" not in stderr
    back = scene.client.find(job.job_id)
    assert (back.status, back.attempts_charged) == (Status.QUEUED, 0)
    until(lambda: gone(worker) or None)


def test_a_job_whose_id_nobody_took_is_there(scene: Scene, aerjob: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "bell.qasm").write_text(BELL)
    scene.start_worker("--slots", "1")
    reads, nobody_reads = os.pipe()
    os.close(reads)
    full = os.open("/dev/full", os.O_WRONLY)
    ways = {"left": (nobody_reads, 0), "full": (full, 70), "closed": (None, 70)}
    for name, (stdout, code) in ways.items():
        done = submitted(aerjob, name, stdout)
        assert done.returncode == code, (name, done)
        assert "Traceback" not in done.stderr
        (job,) = scene.client.listed(JobFilter(name=name), limit=None)
        # Where the answer is lost, the id is not.
        assert job.job_id in done.stderr or code == 0, done
    os.close(nobody_reads)
    os.close(full)


def submitted(aerjob: CommandLine, name: str, stdout: int | None) -> subprocess.CompletedProcess[str]:
    """Submit a circuit with that descriptor as stdout, or with none at all."""
    words = " ".join(aerjob.command("submit", "bell.qasm", "--name", name))
    return subprocess.run(
        ["/bin/bash", "-c", f"exec {words} {'>&-' if stdout is None else f'>&{stdout}'}"],
        cwd=aerjob.folder,
        env=aerjob.environment(None),
        pass_fds=() if stdout is None else (stdout,),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
