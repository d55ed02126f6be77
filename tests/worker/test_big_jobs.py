"""Big jobs, which take all cores, and small ones beside them."""

from __future__ import annotations

from aerjob_cli.api.requests import Plan
from aerjob_cli.states import Status
from tests.support.circuits import BELL, ENDLESS
from tests.support.running import Scene


def test_small_jobs_go_on_beside_a_big_one(scene: Scene) -> None:
    big, *small = scene.put(
        scene.request(ENDLESS, plan=Plan(1, 2)), *(scene.request(BELL, plan=Plan(1, 1)) for _ in range(3))
    )
    scene.start_worker("--slots", "2")
    for job in small:
        scene.wait_for_status(job, Status.DONE)
    assert scene.client.find(big.job_id).status is Status.RUNNING
    assert scene.client.cancel(big).status is Status.CANCELLED
