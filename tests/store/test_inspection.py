"""Inspecting a store: what is sound is called so, and whatever is damaged has its sentence and names its job."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete

from aerjob_cli.errors import AerjobError, StoreForeign, StoreNewer, StoreOutdated, StoreUnusable
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import claims, objects
from aerjob_cli.store.connections import raw_connection
from aerjob_cli.store.database import Store
from aerjob_cli.store.garbage import YOUNG_S
from aerjob_cli.store.inspection import inspect_store
from aerjob_cli.store.problems import PROBLEMS_KEPT, Findings, ProblemKind
from aerjob_cli.store.records import ExperimentRecord, JobRecord, Payload
from aerjob_cli.store.tables import jobs, payloads
from aerjob_cli.store.verification import Verification
from tests.store.conftest import SubmitJob
from tests.support import one_job
from tests.support.old_stores import unpack

LARGE = b"x" * 300_000


def payload(name: str, data: bytes, format: str = "openqasm2") -> Payload:
    return Payload(name, format, hashlib.sha256(data).hexdigest(), len(data), data)


def stored(store: Store, whole: Payload) -> Payload:
    """Put the bytes of a payload where they belong."""
    assert whole.data is not None
    inline = objects.put_if_large(store.paths, whole.sha256, whole.data)
    return Payload(whole.name, whole.format, whole.sha256, whole.size_bytes, inline)


@pytest.fixture
def job(store: Store, submit: SubmitJob) -> JobRecord:
    """A job that is DONE, with large circuits, a small result and an array of either size."""
    circuits = stored(store, payload("big", LARGE))
    record = submit(payloads=(circuits,), experiments_total=1, threads=1)
    arrays = (stored(store, payload("small", b"1", "npy")), stored(store, payload("wide", LARGE + b"w", "npy")))
    with store.writing() as tx:
        (claimed,) = claims.claim(tx, "w", limit=1, now_us=store.now_us())
        result = ExperimentRecord(0, 1, 10, payload("bell", b"{}", "result"), arrays)
        assert one_job.record_experiments(tx, claimed.claim, [result])
        assert one_job.finish(tx, claimed.claim, engine="aer", now_us=store.now_us())
    return record


@pytest.fixture
def done(store: Store, job: JobRecord) -> StorePaths:
    """The folder of a closed store with that job in it."""
    store.close()
    return store.paths


def sql(paths: StorePaths, *statements: str) -> None:
    connection = raw_connection(paths.database, busy_timeout_s=0)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def kinds(findings: Findings) -> set[ProblemKind]:
    return {problem.kind for problem in findings.problems}


def object_of(paths: StorePaths, data: bytes) -> Path:
    return objects.object_path(paths, hashlib.sha256(data).hexdigest())


def test_a_sound_store(done: StorePaths) -> None:
    told: list[int] = []
    findings = inspect_store(done, on_checked=told.append)
    assert findings.is_sound
    assert findings.checked == {"payloads": 1, "experiments": 1, "experiment_arrays": 2}
    assert told[-1] == 4
    assert (findings.objects, findings.objects_bytes) == (2, 2 * len(LARGE) + 1)
    assert (findings.unreferenced, findings.unreferenced_bytes) == (0, 0)


def test_nothing_is_changed_while_somebody_writes(store: Store, job: JobRecord) -> None:
    def state() -> dict[Path, tuple[bytes, int]]:
        files = [path for path in store.paths.home.rglob("*") if path.is_file() and not path.name.endswith("-shm")]
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    with store.writing():
        before = state()
        assert inspect_store(store.paths).is_sound
        assert state() == before


def alter_circuits(paths: StorePaths) -> None:
    place = object_of(paths, LARGE)
    place.write_bytes(b"y" + LARGE[1:])


def shorten_array(paths: StorePaths) -> None:
    os.truncate(object_of(paths, LARGE + b"w"), 1000)


def lose_array(paths: StorePaths) -> None:
    object_of(paths, LARGE + b"w").unlink()


def alter_result(paths: StorePaths) -> None:
    sql(paths, "DROP TRIGGER experiments_stay", "UPDATE experiments SET data = x'7b7e'")


def alter_size_of_array(paths: StorePaths) -> None:
    sql(paths, "DROP TRIGGER arrays_stay", "UPDATE experiment_arrays SET size_bytes = 2 WHERE name = 'small'")


def alter_checksum(paths: StorePaths) -> None:
    sql(paths, "DROP TRIGGER payloads_stay", "UPDATE payloads SET sha256 = '../../../etc/passwd'")


def lose_result(paths: StorePaths) -> None:
    sql(paths, "DROP TRIGGER experiments_go_with_their_job", "DELETE FROM experiments")


@pytest.mark.parametrize(
    ("spoil", "kind", "words", "seen_quickly"),
    [
        (alter_circuits, ProblemKind.ALTERED, "the circuits 0 ('big') of job", False),
        (shorten_array, ProblemKind.ALTERED, "1000 bytes instead of 300001", True),
        (lose_array, ProblemKind.MISSING, "the array 'wide' of experiment 0 of job", True),
        (alter_result, ProblemKind.ALTERED, "the result of experiment 0 ('bell') of job", False),
        (alter_size_of_array, ProblemKind.ALTERED, "the array 'small' of experiment 0 of job", False),
        (alter_checksum, ProblemKind.ALTERED, "a checksum that is none", True),
        (lose_result, ProblemKind.INCOMPLETE, "has 0 results instead of 1", True),
    ],
)
def test_damage_names_its_job(
    done: StorePaths,
    job: JobRecord,
    spoil: Callable[[StorePaths], None],
    kind: ProblemKind,
    words: str,
    seen_quickly: bool,
) -> None:
    spoil(done)
    (problem,) = [found for found in inspect_store(done).problems if found.kind is kind]
    assert words in problem.message
    assert problem.job_id == job.job_id
    assert job.job_id in problem.message
    assert (kind in kinds(inspect_store(done, quick=True))) == seen_quickly


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["DROP TRIGGER jobs_final_is_final"], "the guard jobs_final_is_final"),
        (["DROP INDEX ix_jobs_queue"], "the index ix_jobs_queue"),
        (["DROP TABLE events"], "the table events"),
        (["DELETE FROM store_identity"], "no identity"),
    ],
)
def test_what_the_schema_lacks_is_named(done: StorePaths, statements: list[str], words: str) -> None:
    sql(done, *statements)
    findings = inspect_store(done)
    assert kinds(findings) == {ProblemKind.SCHEMA}
    assert any(words in problem.message for problem in findings.problems)


def test_a_row_without_its_job_is_damage(done: StorePaths) -> None:
    sql(done, "PRAGMA foreign_keys=OFF", "DELETE FROM jobs")
    findings = inspect_store(done)
    assert kinds(findings) == {ProblemKind.DATABASE}
    assert any("refers to a row of jobs" in problem.message for problem in findings.problems)


def test_noise_in_any_page_is_a_problem_and_never_a_traceback(done: StorePaths) -> None:
    sound = done.database.read_bytes()
    for start in range(4096, len(sound), 4096):
        done.database.write_bytes(sound[:start] + bytes(range(256)) * 16 + sound[start + 4096 :])
        findings = inspect_store(done)
        assert ProblemKind.DATABASE in kinds(findings), start


def test_a_database_that_was_cut_short_is_a_problem_and_never_a_traceback(done: StorePaths) -> None:
    sound = done.database.read_bytes()
    for kept in (0, 99, 4095, 4096, 50_000, len(sound) - 4096):
        done.database.write_bytes(sound[:kept])
        findings = inspect_store(done)
        assert ProblemKind.DATABASE in kinds(findings), kept


def no_store(paths: StorePaths) -> None:
    paths.database.unlink()


def of_another_application(paths: StorePaths) -> None:
    sql(paths, "PRAGMA application_id=1")


def of_a_later_aerjob(paths: StorePaths) -> None:
    sql(paths, "UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("spoil", "error"),
    [(no_store, StoreUnusable), (of_another_application, StoreForeign), (of_a_later_aerjob, StoreNewer)],
)
def test_what_is_no_store_of_ours_is_not_inspected(
    done: StorePaths, spoil: Callable[[StorePaths], None], error: type[AerjobError]
) -> None:
    spoil(done)
    with pytest.raises(error):
        inspect_store(done)


def test_an_old_store_is_to_be_upgraded_first(tmp_path: Path) -> None:
    with pytest.raises(StoreOutdated, match="aerjob store upgrade"):
        inspect_store(unpack("0001", tmp_path / "home"))


def test_open_folders_and_locked_files_are_problems(done: StorePaths) -> None:
    done.home.chmod(0o755)
    object_of(done, LARGE).chmod(0o000)
    findings = inspect_store(done, quick=True)
    assert kinds(findings) == {ProblemKind.PERMISSIONS}
    assert [("chmod 700" in problem.message) for problem in findings.problems] == [True, False]


def test_a_store_that_is_named_by_a_link_is_sound(done: StorePaths, tmp_path: Path) -> None:
    named = tmp_path / "named"
    named.symlink_to(done.home)
    assert inspect_store(StorePaths(named), quick=True).is_sound


def test_files_that_belong_to_nobody_are_counted_and_no_problem(done: StorePaths) -> None:
    waste, young = (done.objects / "ab" / (letter * 62) for letter in "ef")
    waste.parent.mkdir()
    for path in (waste, young):
        path.write_bytes(b"w" * 1000)
    then_s = time.time() - 2 * YOUNG_S
    os.utime(waste, (then_s, then_s))
    findings = inspect_store(done)
    assert findings.is_sound
    assert (findings.objects, findings.unreferenced, findings.unreferenced_bytes) == (4, 1, 1000)


def test_many_problems_are_counted_and_some_of_them_kept(store: Store, submit: SubmitJob) -> None:
    missing = Payload("gone", "openqasm2", "0" * 64, 300_000, None)
    for _ in range(PROBLEMS_KEPT + 7):
        assert submit(payloads=(missing,)).status is Status.INITIALIZING
    findings = inspect_store(store.paths)
    assert (len(findings.problems), findings.problems_total) == (PROBLEMS_KEPT, PROBLEMS_KEPT + 7)


def test_a_job_that_is_deleted_meanwhile_misses_nothing(store: Store, submit: SubmitJob) -> None:
    whole = stored(store, payload("big", LARGE))
    submit(payloads=(whole,))
    reads: list[int] = []

    @contextmanager
    def reading() -> Iterator[Connection]:
        with store.reading() as tx:
            yield tx
        if not reads:
            # The rows have been read and the files have not.
            with store.writing() as tx:
                tx.execute(delete(jobs))
            objects.object_path(store.paths, whole.sha256).unlink()
        reads.append(1)

    verification = Verification(store.paths, reading, lambda _: None)
    assert list(verification.everything_of(payloads)) == []
    assert len(reads) > 1
