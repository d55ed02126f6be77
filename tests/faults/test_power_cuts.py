"""Power cuts, on a disk that keeps only what was synced: what was printed is there, and every state opens.

Real commands are recorded with strace (``disk_trace``), and what a disk may hold after each sync is worked out from
that (``disk_images``).
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store.inspection import inspect_store
from tests.faults.support.disk_images import NOTHING_MORE, Disk
from tests.faults.support.power_cuts import Content, Examination, Recording
from tests.faults.support.recorded_runs import SESSION, Recorder, submitter
from tests.support.command_line import end_workers
from tests.support.matrix import Matrix
from tests.support.running import scene_in

pytestmark = pytest.mark.skipif(sys.platform != "linux" or shutil.which("strace") is None, reason="needs strace")


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    made = Recorder(tmp_path)
    yield made
    end_workers(made.home)


Examine = Callable[..., Examination]


@pytest.fixture
def examine(matrix: Matrix, tmp_path: Path, request: pytest.FixtureRequest) -> Examine:
    """Open what a power cut leaves: in a full run after each of them, else right after each promise and after some."""

    def examined(recording: Recording, *, sample: int, since: int = 0) -> Examination:
        examination = Examination(recording, tmp_path)
        cuts = [(cut.point, cut.promises) for cut in recording.cuts(since)]
        # The first cut after each promise, with nothing on the disk but what was synced.
        chosen = set({promises: point for point, promises in reversed(cuts) if point.endswith(NOTHING_MORE)}.values())
        chosen.update(matrix.take([point for point, _ in cuts], sample, name=request.node.name))
        for cut in recording.cuts(since):
            if cut.point in chosen:
                examination.require_kept(cut)
        assert examination.opened
        return examination

    return examined


# What is safe here is what was synced and whose name was synced.
WRITER = """
import os
def put(name):
    with open(name, "wb", buffering=0) as file:
        file.write(b"a" * 2000)
        if not name.endswith("half"):
            os.fsync(file.fileno())
def sync(folder):
    os.fsync(os.open(folder, os.O_RDONLY))
home = os.environ["AERJOB_HOME"]
os.makedirs(home)
for folder in (os.path.dirname(os.path.dirname(home)), os.path.dirname(home)):
    sync(folder)
for name in ("safe", "half", "old"):
    put(f"{home}/{name}")
sync(home)
put(f"{home}/unnamed")
os.rename(f"{home}/old", f"{home}/new")
os.unlink(f"{home}/safe")
"""


def test_the_disk_of_these_tests_keeps_only_what_was_synced(recorder: Recorder) -> None:
    assert recorder.python(WRITER) == 0
    disk = Disk(recorder.disk, is_ignored=lambda _: False, random=Random(1))
    for event in recorder.events:
        disk.follow(event)
    images = [{Path(path).name: content for path, content in make().files.items()} for _, make in disk.cut("")]
    whole = b"a" * 2000
    assert {image["half"] for image in images} >= {b"", bytes(2000), whole}
    assert any(image["half"] in (whole[:512], whole[:1024], whole[:1536]) for image in images)
    assert {image.get("unnamed") for image in images} == {None, whole}
    # A rename may be lost, the file may not; a removal may be lost.
    assert {(image.get("old"), image.get("new")) for image in images} == {(whole, None), (None, whole)}
    assert {image.get("safe") for image in images} == {None, whole}


def test_no_power_cut_loses_a_job_whose_id_was_printed(recorder: Recorder, examine: Examine, matrix: Matrix) -> None:
    assert recorder.python(submitter(), "bell.qasm") == 0
    assert recorder.python(submitter(), "bell.qasm", "large.qasm") == 0
    examine(recorder.recording(matrix.seed), sample=12)


def test_nor_where_only_a_sqlite_is_that_needs_a_rollback_journal(
    recorder: Recorder, examine: Examine, matrix: Matrix
) -> None:
    script = submitter(before="sys.modules['pysqlite3'] = None")
    assert recorder.python(script, "bell.qasm", "large.qasm") == 0
    examine(recorder.recording(matrix.seed), sample=12)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, matrix: Matrix) -> Iterator[Recording]:
    recorder = Recorder(tmp_path_factory.mktemp("session"))
    try:
        assert recorder.python(SESSION) == 0
        yield recorder.recording(matrix.seed)
    finally:
        end_workers(recorder.home)


def test_no_power_cut_takes_the_result_of_a_job_that_was_seen_done(session: Recording, examine: Examine) -> None:
    examine(session, sample=12)


def test_a_job_that_ran_when_the_power_failed_ends_done_with_the_same_result(
    session: Recording, matrix: Matrix, tmp_path: Path
) -> None:
    examination = Examination(session, tmp_path)
    tried = 0
    for cut in session.cuts():
        if cut.point.endswith(NOTHING_MORE) and cut.promises.accepted - cut.promises.done:
            examination.put(cut.make())
            if running := examination.running(cut.promises):
                ended_done(session, examination.paths, running, cut.point)
                tried += 1
                if tried == matrix.times(sample=1, full=20):
                    break
    assert tried


def ended_done(session: Recording, paths: StorePaths, running: Sequence[str], point: str) -> None:
    with scene_in(paths.home) as scene:
        scene.start_worker("--slots", "1")
        for job_id in running:
            done = scene.wait_for_status(scene.client.find(job_id), Status.DONE)
            assert (done.attempt, done.attempts_charged) == (2, 1), point
            assert counts_of(Content.of(scene.client, job_id)) == counts_of(session.contents[job_id]), point
    assert inspect_store(paths).is_sound, point


def counts_of(content: Content) -> list[Any]:
    """Give what was computed, without the times that it took."""
    return [(position, json.loads(data)["data"], arrays) for position, data, arrays in content.results]


# Where those are killed who were there before: instead of whatever they would have changed or synced next.
FATAL = ("fsync", "fdatasync", "mkdir", "rename", "unlink", "pwrite64")


def test_nor_when_those_who_were_at_it_before_were_killed(
    recorder: Recorder, examine: Examine, matrix: Matrix, tmp_path: Path
) -> None:
    # Whatever the first one has left unsynced, the second one builds on it and prints an id; with the key it may be
    # the id of the job that the first one has stored.
    script = submitter(key=", idempotency_key='k'")
    assert recorder.python(script, "large.qasm") == 0
    points = [(call, when) for call in FATAL for when in range(1, recorder.calls[call] + 1)]
    assert {call for call, _ in points} >= {"fsync", "rename", "pwrite64"}
    for number, (call, when) in enumerate(matrix.take(points, 3, name="killed before")):
        place = tmp_path / str(number)
        place.mkdir()
        again = Recorder(place)
        killed = again.python(script, "large.qasm", inject=f"{call}:signal=SIGKILL:when={when}")
        assert killed == -signal.SIGKILL, (call, when)
        since = again.line_number
        assert again.python(script, "large.qasm") == 0, (call, when)
        try:
            examine(again.recording(matrix.seed), sample=2, since=since)
        except AssertionError as error:
            raise AssertionError(f"killed at {call} {when}, and then {error}") from error
        shutil.rmtree(place)
