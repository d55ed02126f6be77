"""A worker is killed around the moment at which it runs a command for the end of a job: none runs twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection

from aerjob_cli.api.requests import Plan
from aerjob_cli.store import end_commands
from aerjob_cli.store.doorbell import ring
from aerjob_cli.store.end_commands import LOST, EndCommandRecord
from aerjob_cli.store.records import JobRecord
from tests.faults.support.system_calls import IS_POSSIBLE, Call, Point, attached
from tests.support.circuits import BELL
from tests.support.running import Scene

pytestmark = pytest.mark.skipif(not IS_POSSIBLE, reason="needs strace")

# The pipe is made between the mark and the process, the pidfd after that; what is synced is the mark, then the outcome,
# unless a heartbeat comes in between.
POINTS = [("fsync", 1), ("pipe2", 1), ("pidfd_open", 1), ("fsync", 2)]


def put(scene: Scene) -> JobRecord:
    (job,) = scene.put(
        scene.request(BELL, hold=True, plan=Plan(1, 1), on_end='echo "$AERJOB_JOB_ID" >> "$AERJOB_HOME/told"')
    )
    return job


def runs(scene: Scene, job: JobRecord) -> int:
    place = scene.paths.home / "told"
    return place.read_text().split().count(job.job_id) if place.exists() else 0


def test_a_worker_killed_at_any_call_runs_no_command_twice(scene: Scene, tmp_path: Path) -> None:
    for number, (name, ordinal) in enumerate(POINTS):
        worker = scene.start_worker()
        job = put(scene)
        point = Point(Call(name, ordinal, ""), "SIGKILL")
        with attached(worker.pid, tmp_path / f"log-{number}", point=point, names=(name,)):
            scene.client.cancel(job)
            ring(scene.paths.doorbell)
            assert worker.wait(timeout=60) == -9, point
        scene.start_worker()

        def finished(tx: Connection, job: JobRecord = job) -> EndCommandRecord | None:
            found = end_commands.of_job(tx, job.seq)
            return None if found is None or found.finished_us is None else found

        outcome = scene.wait(finished).outcome
        assert outcome in (LOST, "exited with code 0"), (point, outcome)
        # The one that was begun and not started is never begun again; one that was not begun is.
        assert runs(scene, job) == 0 if name == "pipe2" else runs(scene, job) <= 1, (point, outcome)
        assert runs(scene, job) == 1 or outcome == LOST, point
        (next_worker,) = [process for process in scene._workers if process.poll() is None]
        next_worker.terminate()
        next_worker.wait(timeout=60)
