"""The worker as the first process of a container: it heeds SIGTERM, which the kernel does not do for it, and buries."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from aerjob_cli.states import Status
from aerjob_cli.store import end_commands
from aerjob_cli.store.doorbell import is_heard
from aerjob_cli.store.records import JobRecord
from tests.support.circuits import BELL
from tests.support.running import DEADLINE_S, Scene, until

UNSHARE = shutil.which("unshare")
AS_A_CONTAINER = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"]


def can_have_namespaces() -> bool:
    if UNSHARE is None:
        return False
    done = subprocess.run([UNSHARE, *AS_A_CONTAINER, "/bin/true"], capture_output=True, check=False)
    return done.returncode == 0


def children_of(pid: int) -> list[int]:
    """Give the children, zombies among them."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def outcome_of(job: JobRecord, tx: Connection) -> str | None:
    found = end_commands.of_job(tx, job.seq)
    return None if found is None else found.outcome


@pytest.mark.skipif(not can_have_namespaces(), reason="this system gives no namespaces")
def test_a_worker_as_the_first_process(scene: Scene) -> None:
    assert UNSHARE is not None
    worker = [sys.executable, "-P", "-m", "aerjob_cli.worker", "--home", str(scene.paths.home), "--foreground"]
    with subprocess.Popen([UNSHARE, *AS_A_CONTAINER, *worker]) as container:
        try:
            until(lambda: is_heard(scene.paths.doorbell) or None)
            assert scene.worker().pid == 1
            (job,) = scene.put(scene.request(BELL, on_end="exit 3"))
            scene.wait_for_status(job, Status.DONE)
            # Its status is told though it may be buried like any other.
            assert scene.wait(partial(outcome_of, job)) == "exited with code 3"
            (first,) = children_of(container.pid)
            (template,) = children_of(first)
            executors = children_of(template)
            assert executors
            os.kill(template, signal.SIGKILL)
            # The executors die with it, and nobody but the first process can bury them.
            until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in (template, *executors)) or None)
            (again,) = scene.put(scene.request(BELL))
            scene.wait_for_status(again, Status.DONE)
            os.kill(first, signal.SIGTERM)
            assert container.wait(timeout=DEADLINE_S) == 0
        finally:
            container.kill()
