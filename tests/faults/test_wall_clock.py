"""The wall clock jumps, or everything stands still for longer than a lease: only what is shown may change by that.

The clock of real workers and commands is set while they run; the monotonic clock of the machine is left as it is.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from aerjob_cli.api.dossiers import dossier_of
from aerjob_cli.api.progress import progress_of
from aerjob_cli.api.requests import CircuitBytes, Plan, Request
from aerjob_cli.cli.answers.show import JobView
from aerjob_cli.cli.answers.status import JobState
from aerjob_cli.cli.columns import duration_s
from aerjob_cli.clock import SystemClock
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import experiments, jobs, submissions
from aerjob_cli.store.database import Store
from aerjob_cli.store.flocks import try_flock
from aerjob_cli.store.inspection import inspect_store
from aerjob_cli.store.records import JobRecord
from tests.faults.support.wall_clock import DAY_S, WallClock, is_there
from tests.support.circuits import BELL, layers
from tests.support.command_line import CommandLine
from tests.support.matrix import Matrix
from tests.support.running import Scene, until

pytestmark = pytest.mark.skipif(not is_there(), reason="libfaketime sets the clock of single processes on Linux")

IDLE_EXIT_S = 4.0
TIMEOUT_S = 2.0
EXPERIMENTS = 120
Jump = Callable[[WallClock], None]
JUMPS: dict[str, Jump] = {
    "a day forward": lambda clock: clock.jump_by(DAY_S),
    "a day back": lambda clock: clock.jump_by(-DAY_S),
    "to 1970": lambda clock: clock.jump_to_1970(),
}


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WallClock:
    """The clock of all processes that the test starts from here on; that of the test itself is the true one."""
    made = WallClock(tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def aerjob(scene: Scene, clock: WallClock, tmp_path: Path) -> Iterator[CommandLine]:
    yield CommandLine(scene.paths.home, tmp_path)
    assert inspect_store(StorePaths(scene.paths.home), quick=True).is_sound


@pytest.fixture
def many() -> Request:
    """Circuits that take a second together, each with a result of its own."""
    texts = [layers(13, 4, seed=seed) for seed in range(EXPERIMENTS)]
    circuits = tuple(CircuitBytes(f"c{at}", "openqasm2", text.encode()) for at, text in enumerate(texts))
    return Request(circuits=circuits, backend="qasm_simulator", shots=100, seed=1, plan=Plan(EXPERIMENTS, 1))


def test_a_job_runs_on_and_a_worker_leaves_in_its_time_whatever_the_wall_clock_does(
    scene: Scene, aerjob: CommandLine, clock: WallClock, many: Request
) -> None:
    worker = scene.start_worker("--slots", "1", "--idle-exit", str(IDLE_EXIT_S), "--lease", "2")
    ended: list[JobRecord] = []
    for name, jump in JUMPS.items():
        clock.jump_by(0)
        (job,) = scene.put(many)
        scene.wait(partial(has_some_results, job=job))
        jump(clock)
        done = scene.wait_for_status(job, Status.DONE)
        assert done.attempt == 1, name
        ended.append(done)
    idle_since_s = time.monotonic()
    clock.jump_by(DAY_S)
    time.sleep(IDLE_EXIT_S / 4)
    clock.jump_by(-DAY_S)
    assert worker.wait(timeout=60) == 0
    # Somewhat before it was seen here it was idle.
    assert time.monotonic() - idle_since_s > IDLE_EXIT_S / 2
    for done in ended:
        assert_no_negative_duration(scene, done)
    for command in (("show", "last"), ("top", "--once")):
        told = aerjob.json(*command)
        assert negative_durations(told) == [], told


def has_some_results(tx: Connection, *, job: JobRecord) -> bool | None:
    missing = experiments.missing_ranges(tx, job.seq, EXPERIMENTS)
    assert missing, "the job has ended before anything could happen to it"
    return missing[0][0] > 5 or None


def assert_no_negative_duration(scene: Scene, job: JobRecord) -> None:
    """Look at a job at several times, the last of them before there was any job."""
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.submitted_at <= job.started_at <= job.finished_at
    assert (duration_s(job) or 0.0) >= 0
    dossier = dossier_of(scene.store, job)
    for now_us in (job.submitted_us, scene.store.now_us(), 0):
        state = JobState(job, progress_of(job, now_us=now_us), None)
        told = JobView(dossier=dossier, state=state, now_us=now_us).content()
        assert negative_durations(told) == [], (now_us, told)


def negative_durations(value: Any, name: str = "") -> list[str]:
    """Give the names of all durations, which end with the name of a unit, that are below 0."""
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in negative_durations(item, key)]
    if isinstance(value, list):
        return [found for item in value for found in negative_durations(item, name)]
    return [name] if name.endswith("_s") and isinstance(value, (int, float)) and value < 0 else []


def test_a_timeout_is_over_in_its_time_whatever_the_wall_clock_does(
    scene: Scene, aerjob: CommandLine, clock: WallClock
) -> None:
    scene.put(scene.request(BELL))
    keeps_workers_away = try_flock(scene.paths.starter_lock)
    assert keeps_workers_away is not None
    process = aerjob.start("wait", "last", "--timeout", f"{TIMEOUT_S}s")
    begun_s = time.monotonic()
    until(partial(is_watching, process, scene))
    for jump in JUMPS.values():
        jump(clock)
        time.sleep(TIMEOUT_S / 6)  # it looks several times meanwhile
    assert process.wait(timeout=60) == 124
    assert time.monotonic() - begun_s >= TIMEOUT_S
    keeps_workers_away.release()


def is_watching(process: subprocess.Popen[str], scene: Scene) -> bool | None:
    """Tell whether a command has the store open; None while it has not."""
    for entry in Path(f"/proc/{process.pid}/fd").iterdir():
        # It may be closed by now.
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(entry) == str(scene.paths.database):
                return True
    return None


def test_jobs_are_in_the_order_of_their_submission_and_not_of_the_clock(
    scene: Scene, aerjob: CommandLine, clock: WallClock
) -> None:
    (first,) = scene.put(scene.request(BELL))
    submitted = [first.job_id]
    for offset_s in (DAY_S, -DAY_S, int(10 - time.time())):
        store = Store.open(scene.paths, clock=Shifted(offset_s))
        with store.writing() as tx:
            again = submissions.resubmit(tx, first, job_id=str(uuid.uuid4()), submitted_by={}, now_us=store.now_us())
        store.close()
        submitted.append(again.job_id)
    assert [job["job_id"] for job in aerjob.json("list")["jobs"]] == submitted[::-1]
    assert aerjob.json("status", "last")["jobs"][0]["job_id"] == submitted[-1]
    clock.jump_to_1970()
    for since in ("2h", "yesterday"):  # before there was any time
        found = aerjob("list", "--since", since)
        assert (found.returncode, found.stderr) == (0, "")
    assert "0s ago" in aerjob.on_a_terminal("list")  # what is yet to come, by this clock
    scene.start_worker("--slots", "1")
    done = [scene.wait_for_status(scene.client.find(job_id), Status.DONE) for job_id in submitted]
    begun = scene.peek(lambda tx: [row[0] for row in tx.exec_driver_sql(ORDER_OF_BEGINNINGS)])
    assert begun == [job.seq for job in done]
    for job in done:
        assert_no_negative_duration(scene, job)


@dataclass(frozen=True)
class Shifted(SystemClock):
    """The clocks of this machine, the wall clock off by ``offset_s``."""

    offset_s: int

    def now_us(self) -> int:
        return super().now_us() + self.offset_s * 1_000_000


ORDER_OF_BEGINNINGS = "SELECT job_seq FROM events WHERE to_status = 'RUNNING' ORDER BY seq"


def running_and_awaited(
    scene: Scene, aerjob: CommandLine, request: Request
) -> tuple[JobRecord, subprocess.Popen[str]] | None:
    """Have a job run for which a command waits; None where it had ended before the command was there."""
    (job,) = scene.put(request)
    waiting = aerjob.start("wait", job.job_id)
    until(lambda: waiting.poll() is not None or is_watching(waiting, scene))
    if scene.peek(lambda tx: jobs.find(tx, job.job_id).status) is Status.RUNNING:
        return job, waiting
    waiting.wait(timeout=60)
    return None


def test_what_was_suspended_for_longer_than_a_lease_goes_on_in_the_same_attempt(
    scene: Scene, aerjob: CommandLine, clock: WallClock, matrix: Matrix, many: Request
) -> None:
    first = scene.start_worker("--slots", "1", "--lease", "1")
    for round_number in range(matrix.times(sample=1, full=30)):
        clock.jump_by(0)
        job, waiting = until(partial(running_and_awaited, scene, aerjob, many))
        worker = scene.worker()
        everything = [waiting.pid, worker.pid, *(child.pid for child in worker.children)]
        for pid in everything:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(1.5)  # longer than the lease
        clock.jump_by(DAY_S)
        assert worker.is_silent(boot_id=worker.boot_id, monotonic_s=time.monotonic())
        # Who waits, and would start another worker, is the first to go on.
        for pid in everything:
            os.kill(pid, signal.SIGCONT)
        assert waiting.wait(timeout=60) == 0, round_number
        assert scene.wait_for_status(job, Status.DONE).attempt == 1, round_number
        assert scene.worker().worker_id == worker.worker_id, round_number
    assert first.poll() is None
