"""Repairing a store: what follows from the code and the rows is put right, and nothing is ever invented."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aerjob_cli.errors import AerjobError, StoreBusy, StoreDamaged, StoreForeign, StoreOutdated, StoreUnusable
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import After, Status
from aerjob_cli.store import jobs
from aerjob_cli.store import repair as module
from aerjob_cli.store.connections import raw_connection
from aerjob_cli.store.database import Store
from aerjob_cli.store.definitions import (
    FINGERPRINTS,
    definitions_of,
    definitions_of_the_migrations,
    fingerprint,
)
from aerjob_cli.store.garbage import YOUNG_S
from aerjob_cli.store.inspection import inspect_store
from aerjob_cli.store.problems import ProblemKind
from aerjob_cli.store.records import Dependency, JobRecord
from aerjob_cli.store.repair import repair
from aerjob_cli.store.upgrade import upgrade
from tests.store.conftest import SubmitJob
from tests.support.old_stores import rows_of, unpack
from tests.support.staging import Stage


def sql(paths: StorePaths, *statements: str) -> None:
    connection = raw_connection(paths.database, busy_timeout_s=0)
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.fixture
def stage(paths: StorePaths) -> Iterator[Stage]:
    with Stage(paths) as made:
        yield made


@pytest.fixture
def job(stage: Stage, submit: SubmitJob) -> JobRecord:
    """A job that is DONE."""
    record = submit(experiments_total=2, threads=1)
    stage.run_through(record, experiments=2)
    return record


@pytest.fixture
def done(store: Store, stage: Stage, job: JobRecord) -> StorePaths:
    """The folder of a closed store with that job in it."""
    store.close()
    stage.store.close()
    return store.paths


def test_the_fingerprints_are_those_of_the_migrations() -> None:
    source = definitions_of_the_migrations()
    assert {name: fingerprint(definition) for name, definition in source.items()} == FINGERPRINTS


def test_a_new_store_and_an_upgraded_one_are_defined_as_the_migrations_say(store: Store, tmp_path: Path) -> None:
    old = unpack("0001", tmp_path / "old")
    upgrade(old)
    upgraded = Store.open(old)
    for made in (store, upgraded):
        with made.reading() as tx:
            found = definitions_of(tx)
        assert {name: fingerprint(definition) for name, definition in found.items()} == FINGERPRINTS
    upgraded.close()


def test_a_sound_store_needs_no_repair(done: StorePaths) -> None:
    before = rows_of(done.database)
    assert repair(done) == ()
    assert rows_of(done.database) == before


def test_every_guard_and_index_is_made_anew_as_it_was(done: StorePaths) -> None:
    source = definitions_of_the_migrations()
    sql(done, *(f"DROP {definition.kind} {name}" for name, definition in source.items()))
    assert inspect_store(done).problems_total == len(FINGERPRINTS)
    sentences = repair(done)
    assert all(any(f" {name} was missing" in sentence for sentence in sentences) for name in FINGERPRINTS)
    assert inspect_store(done).is_sound
    store = Store.open(done)
    with store.reading() as tx:
        assert definitions_of(tx) == source
    store.close()


def test_a_guard_that_guards_nothing_is_found_and_replaced(done: StorePaths) -> None:
    sql(
        done,
        "DROP TRIGGER experiments_stay",
        "CREATE TRIGGER experiments_stay BEFORE UPDATE ON experiments BEGIN SELECT 1; END",
    )
    (problem,) = inspect_store(done, quick=True).problems
    assert (problem.kind, "experiments_stay" in problem.message) == (ProblemKind.SCHEMA, True)
    (sentence,) = repair(done)
    assert "not as it should be" in sentence
    with pytest.raises(Exception, match="never changes"):
        sql(done, "UPDATE experiments SET shots = 1")


def test_a_store_without_a_guard_says_how_to_repair_it(done: StorePaths) -> None:
    sql(done, "DROP TRIGGER jobs_final_is_final")
    with pytest.raises(StoreDamaged, match="aerjob store check --repair"):
        Store.open(done)
    repair(done)
    store = Store.open(done)
    with pytest.raises(StoreDamaged, match="a final job never changes"), store.writing() as tx:
        tx.exec_driver_sql("UPDATE jobs SET status = 'QUEUED'")
    store.close()


def test_a_trigger_of_somebody_else_is_told_of_and_stays(done: StorePaths) -> None:
    sql(done, "CREATE TRIGGER mine AFTER INSERT ON jobs BEGIN SELECT 1; END")
    assert repair(done) == ()
    (problem,) = inspect_store(done).problems
    assert "mine" in problem.message


def test_modes_and_folders_are_put_right(done: StorePaths) -> None:
    done.home.chmod(0o777)
    done.database.chmod(0o200)
    done.incoming.rmdir()
    done.objects.chmod(0o500)
    assert {problem.kind for problem in inspect_store(done).problems} == {
        ProblemKind.PERMISSIONS,
        ProblemKind.MISSING,
    }
    assert len(repair(done)) >= 4
    assert inspect_store(done).is_sound
    modes = [path.stat().st_mode & 0o777 for path in (done.home, done.database, done.objects, done.incoming)]
    assert modes == [0o700, 0o600, 0o700, 0o700]


@pytest.mark.parametrize("wrong", ["waits = 5", "waits = 0", "waits = -1", "unmet_any = 1 - unmet_any"])
def test_what_jobs_wait_for_is_counted_again(store: Store, submit: SubmitJob, wrong: str) -> None:
    plan = {"experiments_total": 1, "threads": 1}
    first, second = submit(**plan), submit(**plan)
    either = tuple(Dependency(After.ANY_DONE, job.job_id) for job in (first, second))
    both = tuple(Dependency(After.ENDED, job.job_id) for job in (first, second))
    waiting = [
        submit(dependencies=either, held=True, **plan),
        submit(dependencies=both, begin_us=store.now_us() + 10**12, **plan),
    ]
    assert inspect_store(store.paths).is_sound
    with store.writing() as tx:
        for job in waiting:
            tx.exec_driver_sql(f"UPDATE jobs SET {wrong} WHERE seq = {job.seq}")  # noqa: S608 - words of this test
    problems = inspect_store(store.paths).problems
    assert [(item.kind, item.job_id) for item in problems] == [(ProblemKind.WAITS, job.job_id) for job in waiting]
    assert len(repair(store.paths)) == len(waiting)
    assert inspect_store(store.paths).is_sound
    with store.reading() as tx:
        found = [jobs.find(tx, job.job_id) for job in waiting]
    assert [(job.waits, job.unmet_any) for job in found] == [(2, True), (3, False)]


def test_the_count_of_a_job_that_goes_on_is_that_of_its_results(
    store: Store, stage: Stage, submit: SubmitJob, job: JobRecord
) -> None:
    running = submit(experiments_total=3, threads=1)
    stage.start(running)
    stage.record(running, 0, 1)
    with store.writing() as tx:
        tx.exec_driver_sql("UPDATE jobs SET experiments_done = 7 WHERE status = 'RUNNING'")
    (sentence,) = repair(store.paths)
    assert running.job_id in sentence
    assert stage.look(running).experiments_done == 2
    # Its worker goes on with what it holds.
    stage.record(running, 2)
    stage.finish(running)
    assert stage.look(running).status is Status.DONE
    assert inspect_store(store.paths).is_sound


def test_a_job_that_has_ended_is_never_touched(done: StorePaths) -> None:
    guard = definitions_of_the_migrations()["jobs_final_is_final"].sql
    sql(done, "DROP TRIGGER jobs_final_is_final", "UPDATE jobs SET experiments_done = 1", guard)
    sql(done, "DROP TRIGGER experiments_go_with_their_job", "DELETE FROM experiments WHERE position = 0")
    before = rows_of(done.database)
    assert len(repair(done)) == 1  # the guard
    assert rows_of(done.database) == before
    (problem,) = inspect_store(done).problems
    assert problem.kind is ProblemKind.INCOMPLETE


def test_files_that_belong_to_no_job_are_removed(done: StorePaths) -> None:
    waste, young = (done.objects / "ab" / (letter * 62) for letter in "ef")
    waste.parent.mkdir(mode=0o700)
    for path in (waste, young):
        path.write_bytes(b"w" * 1000)
    then_s = time.time() - 2 * YOUNG_S
    os.utime(waste, (then_s, then_s))
    (sentence,) = repair(done)
    assert "1000 bytes" in sentence
    assert (waste.exists(), young.exists()) == (False, True)


def drop_identity(paths: StorePaths) -> None:
    sql(paths, "DELETE FROM store_identity")


def drop_events(paths: StorePaths) -> None:
    sql(paths, "DROP TABLE events")


def spoil_a_page(paths: StorePaths) -> None:
    with paths.database.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(bytes(range(256)) * 16)


@pytest.mark.parametrize("spoil", [drop_identity, drop_events, spoil_a_page])
def test_what_only_a_guess_could_repair_stays_and_is_reported(
    done: StorePaths, spoil: Callable[[StorePaths], None]
) -> None:
    spoil(done)
    repair(done)
    assert not inspect_store(done).is_sound


def of_another_application(paths: StorePaths) -> None:
    sql(paths, "PRAGMA application_id=1", "DROP INDEX ix_jobs_queue")


def no_store(paths: StorePaths) -> None:
    paths.database.unlink()


@pytest.mark.parametrize(("spoil", "error"), [(of_another_application, StoreForeign), (no_store, StoreUnusable)])
def test_what_is_no_store_of_ours_is_not_repaired(
    done: StorePaths, spoil: Callable[[StorePaths], None], error: type[AerjobError]
) -> None:
    spoil(done)
    before = done.database.read_bytes() if done.database.exists() else None
    with pytest.raises(error):
        repair(done)
    assert (done.database.read_bytes() if done.database.exists() else None) == before


def test_an_old_store_is_to_be_upgraded_first(tmp_path: Path) -> None:
    with pytest.raises(StoreOutdated, match="aerjob store upgrade"):
        repair(unpack("0001", tmp_path / "home"))


def test_a_repair_waits_for_the_one_who_writes(done: StorePaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BUSY_TIMEOUT_S", 0.2)
    sql(done, "DROP INDEX ix_jobs_queue")
    store = Store.open(done)
    with store.writing(), pytest.raises(StoreBusy):
        repair(done)
    assert len(repair(done)) == 1
    store.close()
