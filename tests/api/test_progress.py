"""How far a job is, from its record: counts, times, the time left, and the memory of the process that runs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from qiskit.result import Result

from aerjob_cli import BasicAerJob, BasicAerProvider
from aerjob_cli.api.progress import Checkpoint, Pace, progress_of
from aerjob_cli.processes import started_of
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord
from tests.api.conftest import circuit_of_bell
from tests.support.staging import Stage

S = 1_000_000  # microseconds
START_US = 1_700_000_000 * S


@pytest.fixture
def job(idle: BasicAerProvider) -> BasicAerJob:
    return idle.get_backend().run([circuit_of_bell()] * 10, shots=50)


@pytest.fixture
def stage(idle: BasicAerProvider) -> Iterator[Stage]:
    with Stage(idle.client.store.paths) as opened:
        yield opened


@pytest.fixture
def record(idle: BasicAerProvider, job: BasicAerJob) -> JobRecord:
    """A job of ten experiments of which four are done, that has been running since ``START_US``."""
    queued = idle.client.find(job.job_id())
    return replace(queued, status=Status.RUNNING, attempt=1, experiments_done=4, started_us=START_US)


def test_a_running_job(record: JobRecord) -> None:
    progress = progress_of(record, now_us=START_US + 8 * S)
    assert (progress.experiments_done, progress.experiments_total) == (4, 10)
    assert (progress.done, progress.total) == (4, 10)
    assert (progress.shots_done, progress.shots_total) == (200, 500)
    # Four took eight seconds, six are left.
    assert (progress.elapsed_s, progress.eta_s) == (8.0, 12.0)
    assert progress.rss_bytes is None


def test_a_clock_that_was_set_back(record: JobRecord) -> None:
    progress = progress_of(record, now_us=START_US - 100 * S)
    assert (progress.elapsed_s, progress.eta_s) == (0.0, None)


@pytest.mark.parametrize(
    ("changes", "elapsed_s"),
    [
        ({"experiments_done": 0}, 8.0),
        ({"experiments_total": None, "experiments_done": 0}, 8.0),
        ({"experiments_total": 1, "experiments_done": 0}, 8.0),
        ({"status": Status.QUEUED, "attempt": 0, "started_us": None, "experiments_done": 0}, 0.0),
        ({"status": Status.QUEUED}, 8.0),
        ({"status": Status.CANCELLED, "finished_us": START_US + 3 * S}, 3.0),
        ({"attempt": 2}, 8.0),
    ],
    ids=["none done", "not validated", "one experiment", "not started", "put back", "final", "a later attempt"],
)
def test_no_time_left_where_it_cannot_be_told(record: JobRecord, changes: dict[str, object], elapsed_s: float) -> None:
    progress = progress_of(replace(record, **changes), now_us=START_US + 8 * S)  # type: ignore[arg-type]
    assert (progress.elapsed_s, progress.eta_s) == (elapsed_s, None)


def test_a_later_attempt_is_reckoned_from_what_it_found_done(record: JobRecord) -> None:
    again = replace(record, attempt=2)
    # The night in which the machine was off does not count.
    since = Checkpoint(START_US + 30_000 * S, 2)
    assert progress_of(again, now_us=START_US + 30_010 * S, since=since).eta_s == 30.0


def test_who_looks_again_sees_the_pace_of_a_later_attempt(record: JobRecord) -> None:
    pace = Pace()
    again = replace(record, attempt=2)
    assert pace.progress_of(again, now_us=START_US + 100 * S).eta_s is None
    assert pace.progress_of(replace(again, experiments_done=6), now_us=START_US + 104 * S).eta_s == 8.0
    third = replace(again, attempt=3, experiments_done=6)
    assert pace.progress_of(third, now_us=START_US + 200 * S).eta_s is None
    assert pace.progress_of(replace(third, experiments_done=7), now_us=START_US + 201 * S).eta_s == 3.0
    assert Pace().progress_of(record, now_us=START_US + 8 * S).eta_s == 12.0


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="only Linux tells the memory of a process cheaply")
def test_memory_is_that_of_exactly_the_process_that_runs_the_job(record: JobRecord) -> None:
    pid = os.getpid()
    here = replace(record, executor_pid=pid, executor_started=started_of(pid))
    assert (progress_of(here, now_us=START_US).rss_bytes or 0) > 10 * 2**20
    for other in (
        replace(here, executor_started="0"),  # the pid belongs to another process by now
        replace(here, executor_pid=2**22 + 1),  # above Linux's highest pid
        replace(here, status=Status.QUEUED),
    ):
        assert progress_of(other, now_us=START_US).rss_bytes is None


def test_the_progress_of_a_job_in_python(idle: BasicAerProvider, job: BasicAerJob, stage: Stage) -> None:
    before = job.progress()
    assert (before.done, before.total, before.shots_total, before.elapsed_s) == (0, 10, 500, 0.0)
    record = idle.client.find(job.job_id())
    stage.start(record, ago_s=60, in_this_process=True)
    stage.record(record, 0, 1, 2, 3, 4)
    running = job.progress()
    assert (running.done, running.total, running.shots_done) == (5, 10, 250)
    # It cannot have begun before it was submitted, which was just now.
    assert 0 < running.elapsed_s < 60
    assert running.eta_s == pytest.approx(running.elapsed_s)
    stage.record(record, 5, 6, 7, 8, 9)
    stage.finish(record)
    ended = job.progress()
    assert (ended.done, ended.eta_s, ended.rss_bytes) == (10, None, None)
    assert job.progress() == ended


def test_the_progress_of_a_given_result(idle: BasicAerProvider) -> None:
    results = [{"shots": 100, "success": True, "data": {}}, {"shots": [0, 20], "success": True, "data": {}}]
    given = Result.from_dict({"results": results, "backend_name": "other", "job_id": "j", "success": True})
    progress = BasicAerJob(idle.get_backend(), "j", given).progress()
    assert (progress.done, progress.total, progress.shots_done, progress.shots_total) == (2, 2, 120, 120)
    assert (progress.elapsed_s, progress.eta_s, progress.rss_bytes) == (0.0, None, None)
