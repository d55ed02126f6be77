"""SIGKILL of a worker, its template, an executor, or all of them: every job ends as if nothing had happened."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator

import pytest
from sqlalchemy import Connection

from aerjob_cli.api.requests import CircuitBytes, Plan, Request
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Reason, Status
from aerjob_cli.store import events, experiments
from aerjob_cli.store.doorbell import ring
from aerjob_cli.store.inventory import referenced
from aerjob_cli.store.records import JobRecord, WorkerRecord
from tests.faults.support.families import Member, family
from tests.faults.support.histories import require_legal
from tests.faults.support.results import Sums, result_sums
from tests.support.circuits import BELL, layers
from tests.support.matrix import Matrix
from tests.support.running import Scene, scene_in, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="families of processes are found in /proc")

COUNT = 24
# The state of 10 qubits is kept in the database, that of 15 in a file.
WIDTHS = (10, 15)
DEPTH = 40
# After how many stored results a process is killed. The rest takes long enough for that to be in the middle.
POINTS = range(1, COUNT // 2)


def states(seed: int = 0) -> Request:
    texts = [
        layers(WIDTHS[index % 2], DEPTH, seed=COUNT * seed + index).replace("measure q -> c;", "")
        for index in range(COUNT)
    ]
    return Request(
        circuits=tuple(CircuitBytes(f"c{at}", "openqasm2", text.encode()) for at, text in enumerate(texts)),
        backend="statevector_simulator",
        seed=3,
        plan=Plan(COUNT, 1),
    )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One store for all of them, with its history of dead workers."""
    with scene_in(tmp_path_factory.mktemp("killed") / "home") as made:
        yield made


@pytest.fixture(scope="module")
def undisturbed(scene: Scene) -> Sums:
    (job,) = scene.put(states())
    scene.keep_worker("--slots", "1")
    return result_sums(scene.client, scene.wait_for_status(job, Status.DONE))


def begin(scene: Scene, first: Request, *others: Request) -> list[JobRecord]:
    """Have a worker begin with the first of some jobs."""
    scene.keep_worker("--slots", "1")
    made = scene.put(first, *others)
    ring(scene.paths.doorbell)
    return made


def results_at(tx: Connection, job: JobRecord) -> dict[int, int]:
    """Say which results are stored, and which attempt ran each."""
    return {item.position: item.attempt for item in experiments.results_of(tx, job.seq)}


def wait_for_results(scene: Scene, job: JobRecord, count: int) -> dict[int, int]:
    """Wait until so many results are stored; the job must not be at its end by then."""
    found = scene.wait(lambda tx: there if len(there := results_at(tx, job)) >= count else None)
    assert len(found) < COUNT, f"after {count} results: too late to be in the middle"
    return found


def whole_family(scene: Scene, worker: WorkerRecord) -> set[Member]:
    """Find all that works for the store, and see that those are there whom the store knows of."""
    found = family(scene.paths.home, worker_pids=scene.worker_pids)
    known = {worker.pid, *(child.pid for child in worker.children)}
    assert known <= {member.pid for member in found}
    # A worker, its template, and at least one executor, which the worker may not have noted yet.
    assert len(found) >= 3
    return found


def kill(members: Iterable[Member]) -> None:
    """Kill all of them before any can do something about it: one that stands still does nothing."""
    members = list(members)
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for member in members:
            os.kill(member.pid, number)


def wait_until_nobody_is_left(scene: Scene, before: set[Member]) -> None:
    """Nobody of the family lives on and burns CPU, neither one that was known nor one that came last."""
    until(lambda: not any(member.is_running for member in before) or None)
    until(lambda: not family(scene.paths.home, worker_pids=scene.worker_pids) or None)


def check_end(scene: Scene, job: JobRecord, before: dict[int, int], told: object) -> JobRecord:
    """Wait for the end of a job of which one attempt was lost; nothing that was stored before has run again."""
    done = scene.wait_for_status(job, Status.DONE)
    require_legal(scene.store, job.job_id, told)
    assert (done.attempt, done.attempts_charged) == (2, 1), told
    after = scene.peek(lambda tx: results_at(tx, job))
    assert after is not None
    assert {position: after[position] for position in before} == before, told
    assert len(after) == COUNT, told
    assert set(after.values()) == {1, 2}, told
    return done


def why_it_was_lost(scene: Scene, job: JobRecord) -> str:
    history = scene.peek(lambda tx: events.history(tx, job.seq))
    assert history is not None
    (lost,) = [item for item in history if item.from_status is Status.RUNNING and item.to_status is Status.QUEUED]
    return lost.why


def test_a_killed_worker_costs_queued_jobs_nothing_and_running_ones_an_attempt(
    scene: Scene, undisturbed: Sums, matrix: Matrix
) -> None:
    for point in matrix.take(POINTS, 1, name="kill of a worker"):
        job, *waiting = begin(
            scene, states(), scene.request(BELL, plan=Plan(1, 1)), scene.request(BELL), scene.request("no circuit")
        )
        wait_for_results(scene, job, point)
        worker = scene.worker()
        members = whole_family(scene, worker)
        os.kill(worker.pid, signal.SIGKILL)
        wait_until_nobody_is_left(scene, members)
        before = scene.peek(lambda tx, job=job: results_at(tx, job))  # type: ignore[misc]
        assert before is not None
        scene.keep_worker("--slots", "1")
        done = check_end(scene, job, before, point)
        assert why_it_was_lost(scene, job).startswith(Reason.WORKER_LOST), point
        assert result_sums(scene.client, done) == undisturbed, point
        ends = [scene.wait_for_status(other, Status.DONE, Status.ERROR) for other in waiting]
        assert [(end.status, end.attempts_charged) for end in ends] == [
            (Status.DONE, 0),
            (Status.DONE, 0),
            (Status.ERROR, 0),
        ], point
        assert [end.attempt for end in ends] == [1, 1, 0], point


def test_a_worker_killed_between_an_object_file_and_its_commit_loses_and_doubles_nothing(
    scene: Scene, matrix: Matrix
) -> None:
    for point in matrix.take(POINTS, 1, name="kill before a commit"):
        # Circuits of their own, whose files are not there yet.
        (job,) = begin(scene, states(seed=point))
        wait_for_results(scene, job, point)
        worker = scene.worker()
        members = whole_family(scene, worker)
        with scene.store.writing() as tx:
            # The worker can take results, name their files and sync the folder; it cannot commit.
            before, known = results_at(tx, job), set(referenced(tx))
            assert len(before) < COUNT, f"after {point} results: too late to be in the middle"
            named = until(lambda known=known: named_files(scene.paths) - known or None)  # type: ignore[misc]
            os.kill(worker.pid, signal.SIGKILL)
            wait_until_nobody_is_left(scene, members)
        assert scene.peek(lambda tx, job=job: results_at(tx, job)) == before, point  # type: ignore[misc]
        scene.keep_worker("--slots", "1")
        done = check_end(scene, job, before, point)
        # The same results came again, and belong to the files that were there.
        assert named <= set(scene.peek(lambda tx: set(referenced(tx))) or ()), point
        (again,) = scene.client.retry([done])
        ring(scene.paths.doorbell)
        expected = result_sums(scene.client, scene.wait_for_status(again, Status.DONE))
        assert result_sums(scene.client, done) == expected, point


def named_files(paths: StorePaths) -> set[str]:
    """Give the checksums that files of the object folder are named by."""
    folders = [folder for folder in paths.objects.iterdir() if folder != paths.incoming]
    return {folder.name + file.name for folder in folders for file in folder.iterdir()}


@pytest.mark.parametrize("victim", ["template", "executor"])
def test_a_killed_child_of_a_worker_costs_its_job_an_attempt_and_the_worker_nothing(
    scene: Scene, undisturbed: Sums, matrix: Matrix, victim: str
) -> None:
    for point in matrix.take(POINTS, 1, name=f"kill of {victim}"):
        job, other = begin(scene, states(), scene.request(BELL, plan=Plan(1, 1)))
        before = wait_for_results(scene, job, point)
        worker = scene.worker()
        members = whole_family(scene, worker)
        template, *executors = worker.children
        os.kill(template.pid if victim == "template" else executors[-1].pid, signal.SIGKILL)
        done = check_end(scene, job, before, point)
        assert why_it_was_lost(scene, job).startswith(Reason.EXECUTOR_CRASHED), point
        assert result_sums(scene.client, done) == undisturbed, point
        assert scene.wait_for_status(other, Status.DONE).attempt == 1, point
        assert scene.worker().worker_id == worker.worker_id, point
        if victim == "template":
            # Its executors have not outlived it.
            survivors = {member.pid for member in members if member.is_running}
            assert survivors == {worker.pid}, point


def test_a_worker_killed_with_all_that_it_started_costs_an_attempt(
    scene: Scene, undisturbed: Sums, matrix: Matrix
) -> None:
    for point in matrix.take(POINTS, 1, name="kill of all"):
        job, other = begin(scene, states(), scene.request(BELL, plan=Plan(1, 1)))
        wait_for_results(scene, job, point)
        members = whole_family(scene, scene.worker())
        kill(members)
        wait_until_nobody_is_left(scene, members)
        before = scene.peek(lambda tx, job=job: results_at(tx, job))  # type: ignore[misc]
        assert before is not None
        scene.keep_worker("--slots", "1")
        done = check_end(scene, job, before, point)
        assert result_sums(scene.client, done) == undisturbed, point
        ended = scene.wait_for_status(other, Status.DONE)
        assert (ended.attempt, ended.attempts_charged) == (1, 0), point


def test_nobody_is_left_when_the_last_worker_is_killed_while_it_has_nothing_to_do(
    scene: Scene, undisturbed: Sums
) -> None:
    assert undisturbed
    scene.keep_worker("--slots", "1")
    worker = scene.worker()
    members = whole_family(scene, worker)
    os.kill(worker.pid, signal.SIGKILL)
    wait_until_nobody_is_left(scene, members)
