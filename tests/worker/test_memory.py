"""Jobs that need memory: no more at a time than there is room for, passed by small ones, and not for ever."""

from __future__ import annotations

from aerjob_cli.api.requests import Plan
from aerjob_cli.states import Status
from aerjob_cli.store import jobs
from aerjob_cli.store.records import JobRecord
from tests.support.circuits import BELL, ENDLESS
from tests.support.command_line import CommandLine
from tests.support.running import Scene

MIB = 2**20
# Of 400 MiB, 100 are kept for small jobs.
WORKER = ("--slots", "4", "--max-memory", "400")
LARGE = Plan(1, 1, 200 * MIB)
SMALL = Plan(1, 1, 30 * MIB)
NEARLY_ALL = Plan(1, 1, 290 * MIB)


def explained(scene: Scene, job: JobRecord) -> tuple[str, str]:
    (found,) = scene.client.explain([job.job_id])
    return found.cause, found.sentence


def test_only_as_many_run_as_there_is_room_for(scene: Scene) -> None:
    first, second = scene.put(scene.request(ENDLESS, plan=NEARLY_ALL), scene.request(ENDLESS, plan=LARGE))
    small = scene.put(*(scene.request(BELL, plan=SMALL) for _ in range(20)))
    assert explained(scene, first)[0] == "no_worker"
    scene.start_worker(*WORKER)
    for job in small:
        scene.wait_for_status(job, Status.DONE)
    assert scene.client.find(first.job_id).status is Status.RUNNING
    assert scene.client.find(second.job_id).status is Status.QUEUED
    assert explained(scene, first) == ("runs", "it runs, in attempt 1")
    assert explained(scene, second) == (
        "memory",
        "it takes about 200 MiB of memory, and 10 MiB are free beside what runs",
    )
    scene.client.cancel(first)
    scene.wait_for_status(second, Status.RUNNING)
    scene.client.cancel(second)
    assert explained(scene, second)[0] == "ended"


def test_the_next_worker_of_a_killed_one_gives_out_no_more_either(scene: Scene) -> None:
    killed = scene.start_worker(*WORKER)
    first, second = scene.put(scene.request(ENDLESS, plan=NEARLY_ALL), scene.request(ENDLESS, plan=LARGE))
    scene.wait_for_executor(first)
    killed.kill()
    killed.wait()
    scene.start_worker(*WORKER)
    assert scene.wait(lambda tx: jobs.find(tx, first.job_id).attempt == 2 or None)
    (urgent,) = scene.put(scene.request(BELL, plan=SMALL, priority=1))
    scene.wait_for_status(urgent, Status.DONE)
    assert explained(scene, second)[0] == "memory"
    scene.client.cancel(first)
    scene.wait_for_status(second, Status.RUNNING)
    scene.client.cancel(second)


def test_nothing_passes_it_when_patience_is_over(scene: Scene) -> None:
    scene.start_worker(*WORKER, "--patience", "0")
    running, waiting = scene.put(scene.request(ENDLESS, plan=LARGE), scene.request(ENDLESS, plan=LARGE))
    scene.wait_for_executor(running)
    behind = scene.put(*(scene.request(BELL, plan=SMALL) for _ in range(5)))
    # What is more urgent is before it, and when that has ended the worker has looked at the others.
    (urgent,) = scene.put(scene.request(BELL, plan=SMALL, priority=1))
    scene.wait_for_status(urgent, Status.DONE)
    assert {scene.client.find(job.job_id).status for job in (waiting, *behind)} == {Status.QUEUED}
    scene.client.cancel(running)
    scene.wait_for_status(waiting, Status.RUNNING)
    for job in behind:
        scene.wait_for_status(job, Status.DONE)


def test_what_never_fits_is_said_to_and_keeps_nobody_waiting(scene: Scene) -> None:
    scene.start_worker(*WORKER, "--patience", "0")
    job, other, behind = scene.put(*(scene.request(BELL, plan=plan) for plan in (Plan(1, 1, 350 * MIB), SMALL, LARGE)))
    for able in (other, behind):
        scene.wait_for_status(able, Status.DONE)
    cause, sentence = explained(scene, job)
    assert cause == "memory_of_worker"
    assert "takes about 350 MiB, and this worker gives out 400 MiB" in sentence
    waited = CommandLine(scene.paths.home, scene.paths.home)("wait", job.job_id, "--timeout", "0")
    assert f"job {job.job_id} does not begin: it takes about 350 MiB" in waited.stderr
    (told,) = CommandLine(scene.paths.home, scene.paths.home).json("explain", job.job_id)["jobs"]
    assert (told["job_id"], told["explanation"]) == (job.job_id, sentence)
