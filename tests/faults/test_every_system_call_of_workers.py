"""A worker or an executor is killed, or the disk fails it, at each system call that changes a file of the store."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aerjob_cli.api import changes
from aerjob_cli.api.requests import CircuitBytes, Plan, Request
from aerjob_cli.states import Status
from aerjob_cli.store import jobs
from aerjob_cli.store.doorbell import ring
from aerjob_cli.store.records import JobRecord, WorkerRecord
from tests.faults.support.accounts import unsound
from tests.faults.support.system_calls import (
    CHANGING,
    FAILING_DISK,
    IS_POSSIBLE,
    KILL,
    READING,
    Call,
    Point,
    attached,
    calls_in,
    points_of,
    was_hit,
)
from tests.support.circuits import ENDLESS, layers
from tests.support.matrix import Matrix
from tests.support.running import Scene, gone, until

pytestmark = pytest.mark.skipif(not IS_POSSIBLE, reason="needs strace")

# The state of 2 qubits is kept in the database, that of 15 in a file; the same one twice needs no second file.
WIDTHS = (2, 15, 15)
# How many faults are to strike in a sample. A worker that is killed costs two seconds to start anew.
KILLS = 2
READS = 1

# What a worker is asked to do, and how the job then ends.
ENDS_AS = {"run": Status.DONE, "cancel": Status.CANCELLED}

Trigger = Callable[[], JobRecord]


class Shift:
    """A worker in its store, to which the same is done again and again, with a fault at another call each time."""

    def __init__(self, scene: Scene, log: Path) -> None:
        self.scene = scene
        self.log = log
        self.names: Sequence[str] = CHANGING
        self.aimed = self.struck = 0
        self.wanted: int | None = None
        self.begin()

    def begin(self) -> None:
        """Start a worker, and have it run a job, so that it has an executor."""
        self.scene.start_worker("--slots", "1")
        self.clear(self.scene.wait_for_status(self.run(), Status.DONE))

    @property
    def worker(self) -> WorkerRecord:
        return self.scene.worker()

    def executor(self) -> int:
        """Give the process that runs the next job; the template is the one that forks it."""
        template = self.worker.children[0].pid
        *_, pid = until(lambda: Path(f"/proc/{template}/task/{template}/children").read_text().split() or None)
        return int(pid)

    def trigger(self, errand: str) -> Trigger:
        """Give what sets off an errand, after all is done that has to be done before."""
        return self.run if errand == "run" else partial(self.cancel, self.running())

    def run(self) -> JobRecord:
        """Have a job run: it is claimed, its results are stored as a chunk, and it is finished."""
        texts = [layers(width, 2).replace("measure q -> c;", "") for width in WIDTHS]
        circuits = tuple(CircuitBytes("circuit", "openqasm2", text.encode()) for text in texts)
        request = Request(circuits=circuits, backend="statevector_simulator", seed=7, plan=Plan(len(circuits), 1))
        (job,) = self.scene.put(request)
        ring(self.scene.paths.doorbell)
        return job

    def running(self) -> JobRecord:
        """Have a job run that would run for minutes."""
        (job,) = self.scene.put(self.scene.request(ENDLESS, plan=Plan(1, 1)))
        ring(self.scene.paths.doorbell)
        return self.scene.wait_for_status(job, Status.RUNNING)

    def cancel(self, job: JobRecord) -> JobRecord:
        """Have the worker end a running job."""
        changes.request_cancels(self.scene.store, [job], message=None)
        ring(self.scene.paths.doorbell)
        return job

    def outcome(self, job: JobRecord) -> list[Any]:
        """Give the results of a job; its arrays are read, and so verified."""
        return [
            (item.position, item.data, [(array.name, len(array.load()), array.sha256) for array in item.arrays])
            for item in self.scene.client.results(job)
        ]

    def clear(self, job: JobRecord) -> None:
        """Remove a job, so that the next one finds what this one found."""
        assert self.scene.client.delete(job)
        for folder in self.scene.paths.objects.glob("??"):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def calls(self, pid: int, trigger: Trigger) -> tuple[Call, ...]:
        """Record what a process of the worker does to files of the store until the job has ended."""
        with attached(pid, self.log, names=self.names, with_children=True):
            job = trigger()
            self.scene.wait(lambda tx: jobs.find(tx, job.job_id).status.is_final or None)
        self.clear(job)
        return calls_in(self.log, self.scene.paths.home, pid=pid)

    def strike(self, pid: int, trigger: Trigger, point: Point) -> JobRecord:
        """Do the same, and have the fault strike; counts the faults that did."""
        with attached(pid, self.log, point=point, names=self.names, with_children=True):
            job = trigger()
            until(lambda: was_hit(self.log, point) or self.has_ended(job) or None)
            # Some calls are made after the job has ended; of what takes a second more, this job is not the cause.
            patience_s = time.monotonic() + 1
            until(lambda: was_hit(self.log, point) or time.monotonic() > patience_s or None)
        self.struck += was_hit(self.log, point)
        self.aimed += 1
        return job

    def aims(self, points: Sequence[Point], sample: int, matrix: Matrix, *, name: str) -> Iterator[Point]:
        """Give points to aim at until ``sample`` of them have been hit; the full matrix takes all, hit or not."""
        if matrix.is_full:
            yield from points
            return
        self.wanted = sample
        for point in matrix.random(name).sample(points, len(points)):
            if self.struck >= sample:
                return
            yield point

    @staticmethod
    def await_end(worker: WorkerRecord) -> None:
        """Wait until a worker is gone with all that it has started."""
        until(lambda: gone(worker) or None)

    def settled(self, job: JobRecord, worker: WorkerRecord) -> bool | None:
        """Tell whether a job has ended, or its worker has."""
        return self.has_ended(job) or gone(worker) or None

    def has_ended(self, job: JobRecord) -> bool | None:
        """Tell whether a job is final."""
        return self.scene.peek(lambda tx: jobs.find(tx, job.job_id).status.is_final)


@pytest.fixture
def shift(scene: Scene, tmp_path: Path) -> Iterator[Shift]:
    shift = Shift(scene, tmp_path / "trace")
    yield shift
    # A worker does not do exactly the same each time: it also beats, and checkpoints the log of the database.
    assert shift.struck > shift.aimed / 2 if shift.wanted is None else shift.struck >= shift.wanted


@pytest.mark.parametrize("errand", ["run", "cancel"])
def test_a_job_ends_as_it_should_though_the_disk_fails_its_worker(errand: str, shift: Shift, matrix: Matrix) -> None:
    worker = shift.worker.pid
    expected: list[Any] = []
    for point in points_of(
        shift.calls(worker, shift.trigger(errand)), FAILING_DISK, matrix, name=f"disk/worker/{errand}"
    ):
        job = shift.strike(worker, shift.trigger(errand), point)
        ended = shift.scene.wait_for_status(job, ENDS_AS[errand])
        assert shift.worker.pid == worker, point
        assert ended.attempts_charged == 0, (point, ended)
        assert unsound(shift.scene.paths) == [], point
        expected = expected or shift.outcome(ended)
        assert shift.outcome(ended) == expected, point
        shift.clear(ended)


def test_a_job_ends_well_though_its_worker_cannot_read_the_store_once(shift: Shift, matrix: Matrix) -> None:
    shift.names = READING
    points = [Point(call, "EIO") for call in shift.calls(shift.worker.pid, shift.run)]
    for point in shift.aims(points, READS, matrix, name="read"):
        worker = shift.worker
        job = shift.strike(worker.pid, shift.run, point)
        # SQLite takes some of these errors for damage, with which a worker does not go on.
        until(partial(shift.settled, job, worker))
        if gone(worker):
            assert "is damaged" in shift.scene.log().splitlines()[-1], point
            shift.begin()
        done = shift.scene.wait_for_status(job, Status.DONE)
        assert done.attempts_charged <= gone(worker), (point, done)
        assert unsound(shift.scene.paths) == [], point
        shift.clear(done)


@pytest.mark.parametrize("errand", ["run", "cancel"])
def test_a_job_ends_as_it_should_though_its_worker_is_killed(errand: str, shift: Shift, matrix: Matrix) -> None:
    expected: list[Any] = []
    calls = shift.calls(shift.worker.pid, shift.trigger(errand))
    points = [Point(call, fault) for call in calls for fault in KILL]
    for point in shift.aims(points, KILLS, matrix, name=f"kill/worker/{errand}"):
        worker = shift.worker
        job = shift.strike(worker.pid, shift.trigger(errand), point)
        if was_hit(shift.log, point):
            # All that it had started goes with it.
            shift.await_end(worker)
            assert unsound(shift.scene.paths) == [], point
            shift.begin()
        ended = shift.scene.wait_for_status(job, ENDS_AS[errand])
        assert ended.attempts_charged <= 1, (point, ended)
        assert unsound(shift.scene.paths) == [], point
        expected = expected or shift.outcome(ended)
        assert shift.outcome(ended) == expected, point
        shift.clear(ended)


@pytest.mark.parametrize("faults", [KILL, FAILING_DISK], ids=["kill", "failing disk"])
def test_a_job_ends_well_though_its_executor_cannot_write_a_result(
    faults: Sequence[str], shift: Shift, matrix: Matrix
) -> None:
    worker = shift.worker.pid
    expected: list[Any] = []
    for point in points_of(shift.calls(shift.executor(), shift.run), faults, matrix, name="executor"):
        job = shift.strike(shift.executor(), shift.run, point)
        done = shift.scene.wait_for_status(job, Status.DONE)
        assert shift.worker.pid == worker, point
        # A crash is charged, a full disk is not.
        assert done.attempts_charged == (1 if faults == KILL else 0), (point, done)
        assert unsound(shift.scene.paths) == [], point
        expected = expected or shift.outcome(done)
        assert shift.outcome(done) == expected, point
        shift.clear(done)
