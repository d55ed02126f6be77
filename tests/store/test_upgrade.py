"""Upgrading a store: every row is kept, a backup is made first, and a kill leaves the old schema or the new one."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from aerjob_cli.clock import boot_id
from aerjob_cli.errors import StoreBusy, StoreDamaged, StoreForeign, StoreNewer, StoreOutdated, StoreUnusable
from aerjob_cli.processes import started_of
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.connections import raw_connection
from aerjob_cli.store.database import Store
from aerjob_cli.store.flocks import try_flock
from aerjob_cli.store.inspection import inspect_store
from aerjob_cli.store.revisions import HEAD, KNOWN, migrate
from aerjob_cli.store.upgrade import upgrade
from tests.support.old_stores import lacks_nothing_of, rows_of, schema_of, unpack
from tests.support.running import until

OLD = "0001"


@pytest.fixture
def old(tmp_path: Path) -> StorePaths:
    return unpack(OLD, tmp_path / "home")


def run_sql(paths: StorePaths, *statements: str) -> None:
    connection = raw_connection(paths.database, busy_timeout_s=0)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def backups(paths: StorePaths) -> list[Path]:
    return sorted(paths.home.glob("aerjob.db.before-*"))


@pytest.mark.parametrize("schema", KNOWN[:-1])
def test_every_row_is_kept_and_the_store_is_sound(schema: str, tmp_path: Path) -> None:
    old = unpack(schema, tmp_path / "home")
    before = rows_of(old.database)
    assert {table for table, rows in before.items() if rows} >= {"jobs", "payloads", "experiments", "events", "workers"}
    with pytest.raises(StoreOutdated, match="aerjob store upgrade"):
        Store.open(old)
    steps: list[str] = []
    done = upgrade(old, on_step=steps.append)
    assert (done.source, done.target, done.was_needed) == (schema, HEAD, True)
    assert [step.split()[0] for step in steps] == ["copying", "checking", "bringing", "checking"]
    assert lacks_nothing_of(before, rows_of(old.database))
    assert inspect_store(old).problems == ()
    Store.open(old).close()


def test_the_backup_is_the_store_as_it_was(old: StorePaths) -> None:
    before = rows_of(old.database)
    done = upgrade(old)
    assert done.backup is not None
    assert backups(old) == [done.backup]
    assert done.backup.stat().st_mode & 0o777 == 0o600
    assert (schema_of(done.backup), rows_of(done.backup)) == (OLD, before)

    done.backup.rename(old.database)
    again = upgrade(old)
    assert again.was_needed
    # An earlier backup is never written over.
    shutil.copy(again.backup or "", old.database)
    third = upgrade(old)
    assert backups(old) == sorted(path for path in (again.backup, third.backup) if path is not None)


def test_a_current_store_is_left_alone(old: StorePaths) -> None:
    upgrade(old)
    before = rows_of(old.database)
    done = upgrade(old)
    assert (done.source, done.target, done.was_needed, done.backup) == (HEAD, HEAD, False, None)
    assert rows_of(old.database) == before
    assert len(backups(old)) == 1


def no_store(paths: StorePaths) -> None:
    paths.database.unlink()


def without_a_guard(paths: StorePaths) -> None:
    run_sql(paths, "DROP TRIGGER experiments_stay")


def with_an_orphan(paths: StorePaths) -> None:
    run_sql(paths, "PRAGMA foreign_keys=OFF", "DELETE FROM jobs WHERE name = 'bell'")


def with_a_torn_page(paths: StorePaths) -> None:
    with paths.database.open("r+b") as file:
        file.seek(20 * 4096)
        file.write(b"\xff" * 4096)


def cut_short(paths: StorePaths) -> None:
    with paths.database.open("r+b") as file:
        file.truncate(paths.database.stat().st_size // 2)


def of_another_application(paths: StorePaths) -> None:
    run_sql(paths, "PRAGMA application_id=1")


def of_a_later_aerjob(paths: StorePaths) -> None:
    run_sql(paths, "UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (no_store, StoreUnusable),
        (without_a_guard, StoreDamaged),
        (with_an_orphan, StoreDamaged),
        (with_a_torn_page, StoreDamaged),
        (cut_short, StoreDamaged),
        (of_another_application, StoreForeign),
        (of_a_later_aerjob, StoreNewer),
    ],
)
def test_what_cannot_be_upgraded_is_refused_and_stays_as_it_is(
    old: StorePaths, spoil: object, error: type[StoreUnusable]
) -> None:
    assert callable(spoil)
    spoil(old)
    before = old.database.read_bytes() if old.database.exists() else None
    with pytest.raises(error):
        upgrade(old)
    assert (old.database.read_bytes() if old.database.exists() else None) == before
    assert not list(old.home.glob("*.draft"))


KILLED_AT_EACH_STATEMENT = """
    import os, shutil, signal, sys
    from pathlib import Path
    import alembic.command, alembic.config  # once, and not in each child
    from sqlalchemy import Engine, event
    from aerjob_cli.settings import StorePaths
    from aerjob_cli.store import upgrade
    from aerjob_cli.store.connections import raw_connection

    template, place = Path(sys.argv[1]), Path(sys.argv[2])
    counted = 0

    def kill_at(number):
        def count(*_):
            global counted
            counted += 1
            if counted == number:
                os.kill(os.getpid(), signal.SIGKILL)
        event.listen(Engine, "before_cursor_execute", count)
        event.listen(Engine, "commit", count)

    number, killed = 0, True
    while killed:
        number += 1
        home = place / str(number)
        shutil.copytree(template, home)
        child = os.fork()
        if child == 0:
            kill_at(number)
            upgrade.upgrade(StorePaths(home))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        connection = raw_connection(home / "aerjob.db", busy_timeout_s=0)
        (schema,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        columns = {row[1] for row in connection.execute("PRAGMA table_info(jobs)")}
        triggers = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").fetchone()[0]
        connection.close()
        print(number, schema, len(columns), triggers, upgrade.upgrade(StorePaths(home)).was_needed)
        shutil.rmtree(home)
"""


def test_a_kill_at_any_statement_leaves_the_old_schema_or_the_new_one(old: StorePaths, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED_AT_EACH_STATEMENT), str(old.home), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kills = [line.split()[1:] for line in done.stdout.splitlines()]
    *killed, completed = kills
    assert len(killed) > 20
    # Old columns, old guards, and an upgrade that then succeeds; or all of it new, and nothing to do.
    assert {tuple(kill) for kill in killed} == {(OLD, "35", "7", "True")}
    assert completed == [HEAD, "51", "21", "False"]


WORKER = """
    import sys, time, signal
    from pathlib import Path
    from aerjob_cli.store.flocks import try_flock

    lock = try_flock(Path(sys.argv[1]))
    if sys.argv[2] == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready", flush=True)
    time.sleep(600)
"""


@contextmanager
def worker_of(paths: StorePaths, manner: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the worker's lock, and is written down as an old worker would have done it."""
    command = [sys.executable, "-c", textwrap.dedent(WORKER), str(paths.worker_lock), manner]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        run_sql(
            paths,
            f"UPDATE workers SET pid = {process.pid}, pid_started = '{started_of(process.pid)}', "  # noqa: S608 - ours
            f"boot_id = '{boot_id()}' WHERE ended_us IS NULL",
        )
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_live_worker_is_asked_to_leave_and_awaited(old: StorePaths) -> None:
    waited_for: list[int] = []
    with worker_of(old, "obedient") as worker:
        assert upgrade(old, on_wait=waited_for.append).was_needed
        assert until(worker.poll) == -signal.SIGTERM
    assert set(waited_for) == {worker.pid}


def test_a_worker_that_does_not_leave_keeps_the_store_as_it_is(old: StorePaths) -> None:
    with worker_of(old, "stubborn") as worker:
        before = rows_of(old.database)
        with pytest.raises(StoreBusy, match=f"pid {worker.pid}"):
            upgrade(old, timeout_s=0.3)
        assert worker.poll() is None
    assert (schema_of(old.database), rows_of(old.database)) == (OLD, before)
    assert backups(old) == []
    # Nothing is left locked.
    assert upgrade(old).was_needed


def test_no_worker_can_begin_meanwhile(old: StorePaths, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def watched(connection: Connection) -> None:
        seen.append(try_flock(old.worker_lock))
        migrate(connection)

    monkeypatch.setattr("aerjob_cli.store.upgrade.migrate", watched)
    upgrade(old)
    assert seen == [None]
