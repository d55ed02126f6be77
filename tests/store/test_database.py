"""Making and opening a store: whole or not there, private, ours, and told when it is none of these."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from aerjob_cli.errors import (
    PayloadDamaged,
    StoreBusy,
    StoreDamaged,
    StoreForeign,
    StoreNewer,
    StoreReplaced,
    StoreUnusable,
)
from aerjob_cli.settings import StorePaths
from aerjob_cli.store import objects, revisions, submissions
from aerjob_cli.store.connections import raw_connection
from aerjob_cli.store.database import Store
from aerjob_cli.store.dbapi import sqlite_library
from aerjob_cli.store.folder import is_network
from aerjob_cli.store.identity import GUARDS
from aerjob_cli.store.mounts import file_system_of
from aerjob_cli.store.records import Payload
from aerjob_cli.store.tables import metadata
from tests.store.conftest import SubmitJob, submission


def test_the_tables_are_what_the_migrations_build(store: Store) -> None:
    with store.reading() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []
        triggers = set(tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars())
    assert triggers == GUARDS


def test_head_is_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(revisions.migrations_folder()))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [revisions.HEAD]
    assert {revision.revision for revision in script.walk_revisions()} == set(revisions.KNOWN)


def test_pragmas(store: Store, paths: StorePaths) -> None:
    connection = raw_connection(paths.database, busy_timeout_s=0)
    (foreign_keys,) = connection.execute("PRAGMA foreign_keys").fetchone()
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
    connection.close()
    assert foreign_keys == 1
    # FULL (2) with a sound WAL, EXTRA (3) with a rollback journal: either way a commit is on the disk.
    assert (mode, synchronous) == (("wal", 2) if sqlite_library().has_sound_wal else ("delete", 3))


def test_folder_and_files_are_private_under_any_umask(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o777)
    home.chmod(0o777)
    code = (
        "import os, sys; os.umask(0)\n"
        "from pathlib import Path\n"
        "from aerjob_cli.settings import StorePaths\n"
        "from aerjob_cli.store.database import Store\n"
        "store = Store.open(StorePaths(Path(sys.argv[1])))\n"
        "with store.writing() as tx: tx.exec_driver_sql('DELETE FROM workers')\n"
        "os._exit(0)\n"  # without closing, so that the log and its index stay
    )
    subprocess.run([sys.executable, "-c", code, str(home)], check=True)
    for path in [home, *home.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_a_folder_that_others_may_write_is_refused(store: Store, paths: StorePaths) -> None:
    paths.home.chmod(0o777)
    with pytest.raises(StoreForeign, match="chmod 700"):
        Store.open(paths)


def spoil_with_text(path: Path) -> None:
    path.write_bytes(b"not a database at all " * 500)


def spoil_by_emptying(path: Path) -> None:
    path.write_bytes(b"")


def spoil_by_truncating(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def spoil_with_foreign_database(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.commit()
    connection.close()


def spoil_with_later_schema(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()


def spoil_by_dropping_a_guard(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER jobs_final_is_final")
    connection.commit()
    connection.close()


def spoil_with_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def spoil_with_symlink(path: Path) -> None:
    elsewhere = path.with_name("elsewhere.db")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (spoil_with_text, StoreDamaged),
        (spoil_by_emptying, StoreDamaged),
        (spoil_by_truncating, StoreDamaged),
        (spoil_with_foreign_database, StoreForeign),
        (spoil_with_later_schema, StoreNewer),
        (spoil_by_dropping_a_guard, StoreDamaged),
        (spoil_with_folder, StoreUnusable),
        (spoil_with_symlink, StoreUnusable),
    ],
)
def test_what_is_not_our_sound_store_is_refused_and_untouched(
    paths: StorePaths, spoil: object, error: type[StoreUnusable]
) -> None:
    Store.open(paths).close()
    assert callable(spoil)
    spoil(paths.database)
    before = paths.database.read_bytes() if paths.database.is_file() else None
    with pytest.raises(error) as caught:
        Store.open(paths)
    assert caught.value.exit_code == 5
    assert str(paths.home) in str(caught.value)
    assert (paths.database.read_bytes() if paths.database.is_file() else None) == before


def test_a_leftover_draft_of_a_killed_creator_is_no_obstacle(paths: StorePaths) -> None:
    paths.home.mkdir(mode=0o700)
    (paths.home / "aerjob.db.draft").write_bytes(b"half")
    (paths.home / "aerjob.db.draft-journal").write_bytes(b"half")
    Store.open(paths).close()
    assert not list(paths.home.glob("*draft*"))


def test_a_deleted_or_replaced_store_is_noticed_before_a_write(store: Store, paths: StorePaths) -> None:
    copy = paths.home / "copy.db"
    shutil.copy(paths.database, copy)
    copy.rename(paths.database)
    with pytest.raises(StoreReplaced), store.writing():
        pass
    paths.database.unlink()
    with pytest.raises(StoreReplaced), store.writing():
        pass


def test_a_locked_store_says_so(store: Store, paths: StorePaths) -> None:
    impatient = Store.open(paths, busy_timeout_s=0.0)
    with store.writing(), pytest.raises(StoreBusy), impatient.writing():
        pass
    impatient.close()


def test_large_payloads_are_objects_and_are_checked_when_read(store: Store, submit: SubmitJob) -> None:
    import hashlib

    data = b"x" * 300_000
    sha256 = hashlib.sha256(data).hexdigest()
    assert objects.put_if_large(store.paths, sha256, data) is None
    job = submit(payloads=(Payload("big", "openqasm2", sha256, len(data), None),))
    with store.reading() as tx:
        (payload,) = submissions.payloads_of(tx, job.seq)
    assert objects.load(store.paths, payload) == data
    place = objects.object_path(store.paths, sha256)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    place.write_bytes(b"y" + data[1:])
    with pytest.raises(PayloadDamaged, match="checksum"):
        objects.load(store.paths, payload)
    place.unlink()
    with pytest.raises(PayloadDamaged, match="missing"):
        objects.load(store.paths, payload)


def test_a_transaction_lands_whole_or_not_at_all(store: Store) -> None:
    def break_off() -> None:
        with store.writing() as tx:
            submissions.submit(tx, submission(), now_us=1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    with store.reading() as tx:
        assert tx.execute(text("SELECT count(*) FROM jobs")).scalar() == 0


def test_a_watch_tells_what_others_commit(store: Store, submit: SubmitJob) -> None:
    watch = store.watch()
    assert watch.changed()
    assert not watch.changed()
    submit()
    assert watch.changed()
    assert not watch.changed()
    watch.close()


@pytest.mark.parametrize(("kind", "is_shared"), [("nfs4", True), ("cifs", True), ("ext4", False), ("fuse.sshfs", True)])
def test_a_network_file_system_is_recognised(tmp_path: Path, kind: str, is_shared: bool) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        f"30 22 0:42 / {tmp_path} rw shared:1 - {kind} server:/export rw\n"
        "31 22 0:43 / /elsewhere rw - tmpfs tmpfs rw\n"
    )
    assert file_system_of(tmp_path, table) == kind
    assert is_network(kind) is is_shared
