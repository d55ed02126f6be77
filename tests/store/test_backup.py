"""Backups: a store of its own, whole or not there, made while the original is in use."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text

from aerjob_cli.errors import BackupMisplaced, StoreBusy, StoreDamaged, StoreReplaced
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import cancels, claims, experiments, lifecycle, objects, submissions
from aerjob_cli.store import jobs as lookup
from aerjob_cli.store.backup import Backup, back_up
from aerjob_cli.store.database import Store
from aerjob_cli.store.garbage import objects_kept, remove_unreferenced
from aerjob_cli.store.inspection import inspect_store
from aerjob_cli.store.records import ExperimentRecord, JobRecord, Payload
from aerjob_cli.store.tables import jobs, store_identity
from tests.store.conftest import SubmitJob
from tests.support import one_job

LARGE = b"x" * 3_000_000


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "monday"


@pytest.fixture(autouse=True)
def _parent(destination: Path) -> None:
    destination.parent.mkdir()


def stored(store: Store, name: str, data: bytes) -> Payload:
    sha256 = hashlib.sha256(data).hexdigest()
    return Payload(name, "openqasm2", sha256, len(data), objects.put_if_large(store.paths, sha256, data))


@pytest.fixture
def job(store: Store, submit: SubmitJob) -> JobRecord:
    """A job that is DONE, with large circuits and a large result."""
    record = submit(payloads=(stored(store, "big", LARGE),), experiments_total=1, threads=1)
    with store.writing() as tx:
        (claimed,) = claims.claim(tx, "w", limit=1, now_us=store.now_us())
        result = ExperimentRecord(0, 1, 10, stored(store, "bell", LARGE + b"result"))
        assert one_job.record_experiments(tx, claimed.claim, [result])
        assert one_job.finish(tx, claimed.claim, engine="aer", now_us=store.now_us())
    return record


def opened(backup: Backup) -> Store:
    return Store.open(StorePaths(backup.path))


def test_a_backup_is_a_store_like_any_other(store: Store, job: JobRecord, destination: Path) -> None:
    made = back_up(store, destination)
    assert (made.path, made.jobs, made.objects, made.damaged) == (destination, 1, 2, ())
    files = [path for path in destination.rglob("*") if path.is_file()]
    assert made.size_bytes == sum(path.stat().st_size for path in files)
    for path in (destination, *destination.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert list(destination.parent.iterdir()) == [destination]

    copy = opened(made)
    with store.reading() as here, copy.reading() as there:
        assert lookup.find(there, job.job_id) == lookup.find(here, job.job_id)
        (circuits,) = submissions.payloads_of(there, job.seq)
        (result,) = experiments.results_of(there, job.seq)
    assert objects.load(copy.paths, circuits) == LARGE
    assert objects.load(copy.paths, result.payload) == LARGE + b"result"
    copy.close()
    assert inspect_store(copy.paths).is_sound


def test_the_two_share_nothing_but_their_past(
    store: Store, job: JobRecord, submit: SubmitJob, destination: Path
) -> None:
    copy = opened(back_up(store, destination))
    assert copy.uuid != store.uuid
    with copy.reading() as tx:
        assert store.uuid in tx.execute(select(store_identity.c.created_by)).scalar_one()
    for original in store.paths.objects.rglob("*/*"):
        if original.is_file():
            assert original.stat().st_nlink == 1
    submit()
    with copy.reading() as tx:
        assert lookup.find(tx, job.job_id).status is Status.DONE
        assert len(tx.execute(select(jobs.c.seq)).all()) == 1
    copy.close()


def test_no_job_of_the_copy_is_in_anybodys_hands(store: Store, submit: SubmitJob, destination: Path) -> None:
    validating = submit()
    with store.writing() as tx:
        claims.claim_validations(tx, "w", limit=1, now_us=1)
    running, unwanted = (submit(experiments_total=1, threads=1, max_attempts=1) for _ in range(2))
    with store.writing() as tx:
        (first, second) = claims.claim(tx, "w", limit=2, now_us=1)
        lifecycle.note_executor(tx, first.claim, pid=os.getpid(), started="now")
        cancels.request_cancel(tx, second.job.seq, now_us=1)
    copy = opened(back_up(store, destination))
    with copy.reading() as tx:
        found = {job.seq: job for job in lookup.find_many(tx, [validating.seq, running.seq, unwanted.seq]).values()}
    copy.close()
    assert found[validating.seq].status is Status.INITIALIZING
    assert found[validating.seq].validations == 0
    assert found[running.seq].status is Status.QUEUED
    assert (found[running.seq].attempts_charged, found[running.seq].executor_pid) == (0, None)
    assert found[unwanted.seq].status is Status.CANCELLED
    with store.reading() as tx:
        assert lookup.find(tx, running.job_id).status is Status.RUNNING


def test_an_empty_folder_is_taken(store: Store, destination: Path) -> None:
    destination.mkdir()
    assert back_up(store, destination).path == destination
    opened(back_up(store, destination.parent / "second")).close()


def file(place: Path, home: Path) -> Path:
    place.write_text("somebody's")
    return place


def filled_folder(place: Path, home: Path) -> Path:
    place.mkdir()
    (place / "thesis.tex").write_text("somebody's")
    return place


def within_the_store(place: Path, home: Path) -> Path:
    return home / "backup"


def the_store_itself(place: Path, home: Path) -> Path:
    return home


def nowhere(place: Path, home: Path) -> Path:
    return place / "deeper" / "still"


@pytest.mark.parametrize("prepare", [file, filled_folder, within_the_store, the_store_itself, nowhere])
def test_a_place_where_no_backup_can_be(store: Store, destination: Path, prepare: object) -> None:
    assert callable(prepare)
    place = prepare(destination, store.paths.home)
    before = sorted(destination.parent.rglob("*")), sorted(store.paths.home.rglob("*"))
    with pytest.raises(BackupMisplaced) as caught:
        back_up(store, place)
    assert caught.value.exit_code == 2
    assert (sorted(destination.parent.rglob("*")), sorted(store.paths.home.rglob("*"))) == before


def test_damaged_objects_are_copied_and_told_of(store: Store, job: JobRecord, destination: Path) -> None:
    altered, lost = sorted(path for path in store.paths.objects.rglob("*/*") if path.is_file())
    altered.write_bytes(b"y" + altered.read_bytes()[1:])
    lost.unlink()
    made = back_up(store, destination)
    relative = altered.relative_to(store.paths.home)
    assert (destination / relative).read_bytes() == altered.read_bytes()
    assert len(made.damaged) == 2
    assert any(str(relative) in fault and "checksum" in fault for fault in made.damaged)
    assert any(str(lost.relative_to(store.paths.home)) in fault for fault in made.damaged)


def test_what_is_deleted_meanwhile_is_in_the_copy(store: Store, job: JobRecord, destination: Path) -> None:
    freed: list[int] = []

    def delete_everything(what: str, done: int, total: int) -> None:
        if what == "objects" and done == 0:
            with store.writing() as tx:
                tx.execute(delete(jobs))
            freed.append(remove_unreferenced(store, [path.parent.name + path.name for path in objects_in(store)]))

    made = back_up(store, destination, on_copied=delete_everything)
    assert (freed, made.damaged) == ([0], ())
    assert inspect_store(StorePaths(destination)).is_sound
    assert remove_unreferenced(store, [path.parent.name + path.name for path in objects_in(store)]) > 0


def objects_in(store: Store) -> list[Path]:
    return [path for path in store.paths.objects.rglob("*/*") if path.is_file()]


def test_a_store_that_is_deleted_meanwhile(store: Store, job: JobRecord, destination: Path) -> None:
    def delete_store(what: str, done: int, total: int) -> None:
        store.paths.database.unlink(missing_ok=True)

    with pytest.raises(StoreReplaced):
        back_up(store, destination, on_copied=delete_store)
    assert list(destination.parent.iterdir()) == []


def test_a_damaged_database_is_not_passed_on(store: Store, job: JobRecord, destination: Path) -> None:
    with store.reading() as tx:
        page = tx.execute(text("SELECT rootpage FROM sqlite_master WHERE name = 'ix_events_job_seq'")).scalar_one()
    store.close()
    with store.paths.database.open("r+b") as database:
        database.seek((page - 1) * 4096)
        database.write(b"\xff" * 4096)
    damaged = Store.open(store.paths)
    with pytest.raises(StoreDamaged, match="is damaged"):
        back_up(damaged, destination)
    damaged.close()
    assert list(destination.parent.iterdir()) == []


def test_two_at_once_do_not_mix(store: Store, destination: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aerjob_cli.store.backup._OTHERS_TAKE_AT_MOST_S", 0.0)
    with objects_kept(store.paths, timeout_s=0), pytest.raises(StoreBusy):
        back_up(store, destination)
    assert list(destination.parent.iterdir()) == []


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from aerjob_cli.settings import StorePaths
    from aerjob_cli.store.backup import back_up
    from aerjob_cli.store.database import Store

    def kill(what, done, total):
        if what == "objects" and done == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    back_up(Store.open(StorePaths(Path(sys.argv[1]))), Path(sys.argv[2]), on_copied=kill)
"""


def test_what_a_killed_backup_leaves_is_never_at_the_place_and_goes_with_the_next(
    store: Store, job: JobRecord, destination: Path
) -> None:
    somebodys = destination.parent / ".monday.aerjob"
    somebodys.mkdir()
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(store.paths.home), str(destination)]
    assert subprocess.run(command, timeout=60, check=False).returncode == -9
    (leftover,) = set(destination.parent.iterdir()) - {somebodys}
    assert leftover.name.startswith(".monday.aerjob-draft-")
    assert back_up(store, destination).damaged == ()
    assert set(destination.parent.iterdir()) == {destination, somebodys}


SUBMITTING = """
    import sys
    from pathlib import Path
    from aerjob_cli.api.client import Client
    from aerjob_cli.api.requests import CircuitBytes, Request
    from aerjob_cli.settings import Settings, StorePaths

    client = Client(Settings(paths=StorePaths(Path(sys.argv[1]))))
    client._wake_worker = client._launcher.call = lambda: None
    for number in range(10**6):
        size = 300_000 if number % 3 else 100
        circuits = (CircuitBytes("c", "openqasm2", (f"// {number}" + "/" * size).encode()),)
        client.submit([Request(circuits=circuits, backend="qasm_simulator", shots=1)])
        print(number, flush=True)
"""


def test_a_copy_is_whole_while_others_submit(store: Store, destination: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(SUBMITTING), str(store.paths.home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as submitting:
        try:
            assert submitting.stdout is not None
            for _ in range(20):
                assert submitting.stdout.readline()
            made = [back_up(store, destination.with_name(day)) for day in ("tuesday", "wednesday", "thursday")]
            assert submitting.poll() is None
        finally:
            submitting.kill()
    assert made[0].jobs >= 20
    assert [backup.jobs for backup in made] == sorted({backup.jobs for backup in made})
    for backup in made:
        assert backup.damaged == ()
        findings = inspect_store(StorePaths(backup.path))
        assert findings.is_sound
        assert findings.checked["payloads"] == backup.jobs
