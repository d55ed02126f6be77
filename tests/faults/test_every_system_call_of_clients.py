"""A client is killed, or the disk fails, at each system call that changes a file: all of a deed is done, or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from aerjob_cli.api.requests import CircuitBytes, Plan
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord
from tests.faults.support.accounts import account_of, unsound
from tests.faults.support.deeds import Deed, check_end, each_fault
from tests.faults.support.forked_commands import Ended, command, request_end
from tests.faults.support.system_calls import IS_POSSIBLE, KILL, Point
from tests.support.circuits import BELL
from tests.support.matrix import Matrix
from tests.support.running import Scene
from tests.support.staging import Stage

pytestmark = pytest.mark.skipif(not IS_POSSIBLE, reason="needs strace")

# Too large for the database: it goes into a file of its own.
LARGE = f"{BELL}//{300_000 * '.'}\n"
EXPECTED_FILES = {"aerjob.db", "creation.lock", "starter.lock", "worker.log", "objects"}


@pytest.fixture
def template(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path / "template")
    with closing(scene.client):
        yield scene


@each_fault
@pytest.mark.parametrize("kind", ["first", "small", "large"])
def test_a_submission_is_stored_whole_or_not_at_all(
    kind: str, faults: Sequence[str], tmp_path: Path, matrix: Matrix
) -> None:
    if kind != "first":
        scene = Scene(tmp_path / "template")
        put(scene)
        scene.client.close()
    circuit = tmp_path / "circuit.qasm"
    circuit.write_text(LARGE if kind == "large" else BELL)
    deed = Deed(tmp_path, command, ("submit", str(circuit), "--idempotency-key", "once", "--tag", "a", "--tag", "b"))
    for point, ended, again in strike(deed, matrix, faults, name=f"submit {kind}"):
        # The same key means the same job, if there was one already.
        assert ended.stdout in ("", again.stdout), point
        assert account_of(deed.paths)[-1]["tags"] == [("a",), ("b",)]


@each_fault
def test_a_queued_job_is_cancelled_whole_or_not_at_all(
    faults: Sequence[str], template: Scene, tmp_path: Path, matrix: Matrix
) -> None:
    job = put(template)
    template.client.close()
    deed = Deed(tmp_path, command, ("cancel", job.job_id, "--reason", "not wanted any more"))
    assert list(strike(deed, matrix, faults, name="cancel"))


@each_fault
def test_the_end_of_a_running_job_is_requested_or_not(
    faults: Sequence[str], template: Scene, tmp_path: Path, matrix: Matrix
) -> None:
    job = put(template)
    with Stage(template.paths) as stage:
        stage.start(job)
    template.client.close()
    assert list(strike(Deed(tmp_path, request_end, (job.job_id,)), matrix, faults, name="request"))


@each_fault
def test_a_retry_is_a_whole_new_job_or_none(
    faults: Sequence[str], template: Scene, tmp_path: Path, matrix: Matrix
) -> None:
    job = put(template, LARGE)
    with Stage(template.paths) as stage:
        stage.run_through(job)
    template.client.close()
    deed = Deed(tmp_path, command, ("retry", job.job_id))
    assert list(strike(deed, matrix, faults, name="retry", adds_each_time=True))


@each_fault
def test_a_reused_result_is_given_whole_or_not_at_all(faults: Sequence[str], tmp_path: Path, matrix: Matrix) -> None:
    scene = Scene(tmp_path / "template")
    circuit = tmp_path / "circuit.qasm"
    circuit.write_text(BELL)
    scene.start_worker()
    (job,) = scene.put(scene.request(BELL, circuits=(CircuitBytes("circuit.qasm", "openqasm2", BELL.encode()),)))
    scene.wait_for_status(job, Status.DONE)
    scene.stop()
    # Of the worker, which is gone.
    scene.paths.doorbell.unlink(missing_ok=True)
    scene.paths.gong.unlink(missing_ok=True)
    scene.paths.worker_lock.unlink()
    for scratch in scene.paths.incoming.iterdir():
        shutil.rmtree(scratch)
    deed = Deed(tmp_path, command, ("submit", str(circuit), "--shots", "100", "--seed", "7", "--reuse"))
    struck = list(strike(deed, matrix, faults, name="reuse", adds_each_time=True))
    assert struck
    source, *given = account_of(deed.paths)
    assert given
    assert all(other["results"] == source["results"] for other in given)


def strike(
    deed: Deed, matrix: Matrix, faults: Sequence[str], *, name: str, adds_each_time: bool = False
) -> Iterator[tuple[Point, Ended, Ended]]:
    """Strike at each point; check what is there then, and what is there when the same has been done again.

    Give the point and how both commands ended.
    """
    deed.set_up()
    before = account_of(deed.paths)
    assert deed.do().exit_code == 0
    after = account_of(deed.paths)
    assert after != before
    for point, ended in deed.strike(matrix, faults, name=name):
        check_end(point, ended)
        found = account_of(deed.paths)
        assert found == after or (found == before and not ended.stdout), (point, ended, found)
        assert unsound(deed.paths) == [], point
        again = deed.do()
        assert again.exit_code == 0, (point, again)
        assert account_of(deed.paths) == ([*found, after[-1]] if adds_each_time else after), point
        assert unsound(deed.paths) == [], point
        left = {path.name for path in deed.paths.home.iterdir()}
        assert left <= EXPECTED_FILES, point
        # Drafts of a killed process are for `store clean`; one that lives removes its own.
        assert faults == KILL or not list(deed.paths.incoming.iterdir()), point
        yield point, ended, again


def put(scene: Scene, text: str = BELL) -> JobRecord:
    (job,) = scene.put(scene.request(text, plan=Plan(1, 1)))
    return job
