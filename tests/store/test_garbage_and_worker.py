"""A result's file that is removed before the worker has referred to it: the job runs again, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerjob_cli.states import Status
from aerjob_cli.store import events
from aerjob_cli.store.inventory import object_files
from tests.support.circuits import layers
from tests.support.running import Scene, scene_in, until

SHOTS = 40_000  # whose outcomes, one by one, are more than the database takes


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with scene_in(tmp_path / "home") as made:
        yield made


def test_results_whose_file_was_removed_are_run_again(scene: Scene) -> None:
    (job,) = scene.put(scene.request(layers(18, 40), shots=SHOTS, memory=True))
    scene.start_worker()
    scene.wait_for_status(job, Status.RUNNING)
    # As garbage collection does: inside a write transaction, between the worker's naming of the file and its commit.
    with scene.store.writing():
        file = until(lambda: next(object_files(scene.paths), None))
        file.path.unlink()
    done = scene.wait_for_status(job, Status.DONE)
    assert (done.attempt, done.attempts_charged, done.experiments_done) == (2, 0, 1)
    (result,) = scene.client.results(done)
    assert sum(json.loads(result.data)["data"]["counts"].values()) == SHOTS
    history = scene.peek(lambda tx: events.history(tx, job.seq))
    assert history is not None
    assert any("was removed" in event.why for event in history)
