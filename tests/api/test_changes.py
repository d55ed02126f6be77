"""What is done with jobs that are there, on a store that nobody works on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from aerjob_cli.api.requests import CircuitBytes, Plan, Request
from aerjob_cli.errors import InputRefused, JobNotFinal, JobNotFound
from aerjob_cli.settings import INLINE_LIMIT_BYTES
from aerjob_cli.states import FINAL, PENDING, Reason, Status
from aerjob_cli.store import claims, events, experiments, lifecycle, submissions
from aerjob_cli.store.listing import JobFilter
from aerjob_cli.store.objects import object_path
from aerjob_cli.store.records import ExperimentRecord, JobRecord, Payload
from aerjob_cli.version import __version__
from tests.support import one_job
from tests.support.circuits import BELL
from tests.support.running import Scene

LARGE = (BELL + "//" + "x" * INLINE_LIMIT_BYTES).encode()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path / "home")
    yield scene
    scene.client.close()


def large(**changes: object) -> Request:
    circuits = (CircuitBytes("large", "openqasm2", LARGE), CircuitBytes("bell", "openqasm2", BELL.encode()))
    asked = {"backend": "qasm_simulator", "shots": 10, "plan": Plan(2, 1)} | changes
    return Request(circuits=circuits, **asked)  # type: ignore[arg-type]


def ended(scene: Scene, record: JobRecord) -> JobRecord:
    """End a queued or new job in ERROR."""
    with scene.store.writing() as tx:
        claim = claims.claim if record.status is Status.QUEUED else claims.claim_validations
        (claimed,) = claim(tx, "w", limit=1, now_us=scene.store.now_us())
        assert claimed.job.seq == record.seq
        assert lifecycle.fail(
            tx, claimed.claim, Reason.INVALID_CIRCUIT, "bad", stderr_tail="tail", now_us=scene.store.now_us()
        )
    return scene.client.find(record.job_id)


def jobs_of(scene: Scene) -> list[JobRecord]:
    return scene.client.listed(JobFilter(), limit=None)


def test_a_job_remembers_who_submitted_it(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    (here,) = scene.put(scene.request(BELL))
    gone.rmdir()
    (nowhere,) = scene.put(scene.request(BELL))
    known = {"aerjob": __version__, "python": platform.python_version(), "host": platform.node()}
    assert here.submitted_by == known | {"folder": str(gone)}
    assert nowhere.submitted_by == known


def test_a_folder_whose_name_is_no_text(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(folder)
    monkeypatch.chdir(os.fsdecode(folder))
    (record,) = scene.put(scene.request(BELL))
    assert record.submitted_by["folder"].endswith("/\ufffd")


# What a job made anew has of its own; all else is as it was asked for.
OWN = {
    *("seq", "job_id", "status", "reason", "message", "stderr_tail", "retry_of", "attempt", "attempts_charged"),
    *("worker_id", "cancel_requested_us", "engine", "submitted_us", "started_us", "finished_us", "validations"),
    *("error_line", "error_column", "cancel_message", "executor_pid", "executor_started", "experiments_done"),
    "submitted_by",
}


def test_a_retry_is_the_same_job_made_anew(scene: Scene) -> None:
    wanted = large(
        name="n",
        tags=("a", "b"),
        metadata={"k": [1]},
        options={"method": "stabilizer"},
        seed=3,
        memory=True,
        priority=4,
        time_limit_s=9.5,
        max_memory_mb=100,
        max_attempts=2,
        idempotency_key="once",
    )
    (record,) = scene.put(wanted)
    record = ended(scene, record)
    (again,) = scene.client.retry([record, record])
    assert (again.status, again.retry_of) == (Status.QUEUED, record.job_id)
    assert (again.experiments_total, again.threads, again.counts_required) == (2, 1, False)
    assert (again.attempt, again.experiments_done, again.reason) == (0, 0, None)
    same = [field.name for field in fields(JobRecord) if field.name not in OWN]
    assert [getattr(again, name) for name in same] == [getattr(record, name) for name in same]
    assert scene.client.circuits(again) == scene.client.circuits(record) == list(wanted.circuits)
    assert again.submitted_by["aerjob"] == __version__
    with scene.store.reading() as tx:
        assert [event.why for event in events.history(tx, again.seq)] == ["submitted"]
    # The key stays with the first one.
    assert scene.put(wanted) == [record]


def test_what_was_never_validated_is_validated_again(scene: Scene) -> None:
    (record,) = scene.put(scene.request(BELL))
    (again,) = scene.client.retry([ended(scene, record)])
    assert (again.status, again.experiments_total, again.counts_required) == (Status.INITIALIZING, None, True)


@pytest.mark.parametrize("deed", ["retry", "delete_all"])
def test_all_of_them_or_none(scene: Scene, deed: str) -> None:
    (record,) = scene.put(scene.request(BELL))
    record = ended(scene, record)
    waiting, _ = scene.put(scene.request(BELL), scene.request(BELL))
    before = jobs_of(scene)
    with pytest.raises(JobNotFinal) as caught:
        getattr(scene.client, deed)([record, waiting])
    assert caught.value.fields["job_ids"] == [waiting.job_id]
    assert (caught.value.code, caught.value.exit_code) == ("not_final", 8)
    with pytest.raises(JobNotFound):
        getattr(scene.client, deed)([record, replace(waiting, seq=99)])
    assert jobs_of(scene) == before


def test_deleting_leaves_nothing_but_what_others_share(scene: Scene) -> None:
    one, two = (ended(scene, *scene.put(large(seed=seed))) for seed in (1, 2))
    (retried,) = scene.client.retry([one])
    with scene.store.reading() as tx:
        place = object_path(scene.paths, submissions.files_of(tx, one.seq)[0].sha256)
    assert scene.client.delete_all([one, two, one]) == ([one.job_id, two.job_id], 0)
    assert [job.job_id for job in jobs_of(scene)] == [retried.job_id]
    assert place.exists()
    assert scene.client.circuits(retried)[0].data == LARGE
    (retried,) = scene.client.cancel_all([retried])
    assert scene.client.delete_all([retried]) == ([retried.job_id], len(LARGE))
    assert jobs_of(scene) == []
    assert not place.exists()
    with scene.store.reading() as tx:
        assert submissions.payloads_of(tx, one.seq) == []
        assert events.history(tx, one.seq) == []


def test_the_files_of_results_and_arrays_go_with_their_job(scene: Scene) -> None:
    (record,) = scene.put(scene.request(BELL, plan=Plan(1, 1)))
    folder = scene.paths.objects
    stored = []
    for digit, size in (("a", 10), ("b", 20)):
        sha256 = digit * 64
        (folder / sha256[:2]).mkdir()
        object_path(scene.paths, sha256).write_bytes(b"x" * size)
        stored.append(Payload(digit, "f", sha256, size, None))
    with scene.store.writing() as tx:
        (claimed,) = claims.claim(tx, "w", limit=1, now_us=1)
        assert one_job.record_experiments(tx, claimed.claim, [ExperimentRecord(0, 1, 1, stored[0], (stored[1],))])
        assert one_job.finish(tx, claimed.claim, engine="e", now_us=2)
    assert scene.client.delete_all([record])[1] == 30
    assert not [path for path in folder.glob("*/*") if path.is_file()]
    with scene.store.reading() as tx:
        assert list(experiments.results_of(tx, record.seq)) == []


def test_one_delete_says_whether_it_could(scene: Scene) -> None:
    (record,) = scene.put(scene.request(BELL))
    assert not scene.client.delete(record)
    scene.client.cancel(record)
    assert scene.client.delete(record)
    with pytest.raises(JobNotFound):
        scene.client.delete(record)


def test_circuits_that_were_removed_while_they_were_submitted_are_put_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the file and the row that refers to it, somebody else's clearing may come."""
    taken: list[Path] = []
    from aerjob_cli.store import objects

    put_if_large = objects.put_if_large

    def put_and_lose(paths: object, sha256: str, data: bytes) -> bytes | None:
        inline = put_if_large(scene.paths, sha256, data)
        if inline is None and not taken:
            taken.append(object_path(scene.paths, sha256))
            taken[0].unlink()
        return inline

    monkeypatch.setattr(objects, "put_if_large", put_and_lose)
    (record,) = scene.put(large())
    assert taken
    assert scene.client.circuits(record)[0].data == LARGE


@pytest.mark.parametrize("is_final", [False, True])
def test_tags_come_and_go(scene: Scene, is_final: bool) -> None:
    first, second = scene.put(scene.request(BELL, tags=("a", "b")), scene.request(BELL))
    if is_final:
        scene.client.cancel_all([first, second])
    tagged = scene.client.tag([first, second], add=["c", "a", "日本"], remove=["b", "none"])
    assert [job.tags for job in tagged] == [("a", "c", "日本"), ("a", "c", "日本")]
    assert [job.status in FINAL for job in tagged] == [is_final] * 2
    with pytest.raises(InputRefused):
        scene.client.tag([first], add=["x" * 1001], remove=[])
    with pytest.raises(JobNotFound):
        scene.client.tag([first, replace(second, seq=99)], add=["d"], remove=[])
    assert scene.client.find(first.job_id).tags == ("a", "c", "日本")


def test_cancelling_all_of_a_kind(scene: Scene) -> None:
    tagged, other, queued = scene.put(
        scene.request(BELL, tags=("x",)), scene.request(BELL), scene.request(BELL, tags=("x",), plan=Plan(1, 1))
    )
    over = ended(scene, queued)
    (queued,) = scene.put(scene.request(BELL, tags=("x",), plan=Plan(1, 1)))
    assert JobFilter(statuses=(Status.DONE, Status.ERROR)).among(PENDING) is None
    assert scene.client.cancel_all(scene.client.match(JobFilter(tags=("y",)))) == []
    pending = JobFilter(tags=("x",)).among(PENDING)
    assert pending is not None
    cancelled = scene.client.cancel_all(scene.client.match(pending), message="why not")
    assert [job.job_id for job in cancelled] == [tagged.job_id, queued.job_id]
    assert {(job.status, job.message) for job in cancelled} == {(Status.CANCELLED, "why not")}
    assert scene.client.find(over.job_id) == over
    assert scene.client.find(other.job_id) == other
    with pytest.raises(InputRefused):
        scene.client.cancel_all([other], message="")
