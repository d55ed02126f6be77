"""An upgrade, a backup or a pruning is killed, or the disk fails, at each system call that changes a file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from aerjob_cli.api.requests import CircuitBytes, Plan
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.revisions import HEAD
from tests.faults.support.accounts import account_of, unsound, unsound_database
from tests.faults.support.deeds import Deed, check_end, each_fault
from tests.faults.support.forked_commands import command, forked
from tests.faults.support.system_calls import IS_POSSIBLE
from tests.support.circuits import BELL
from tests.support.matrix import Matrix
from tests.support.old_stores import STORES, lacks_nothing_of, rows_of, schema_of, unpack
from tests.support.running import Scene
from tests.support.staging import Stage

pytestmark = pytest.mark.skipif(not IS_POSSIBLE, reason="needs strace")

MISPLACED = 2
NOTHING_MATCHED = 3
UNUSABLE = 5


@each_fault
@pytest.mark.parametrize("old", sorted(path.name for path in STORES.iterdir()))
def test_an_upgrade_leaves_the_old_schema_or_the_new_one_and_never_between(
    old: str, faults: Sequence[str], tmp_path: Path, matrix: Matrix
) -> None:
    deed = Deed(tmp_path, command, ("store", "upgrade"))
    home, database = deed.paths.home, deed.paths.database
    before = rows_of(unpack(old, tmp_path / "template").database)
    tables = definitions(tmp_path / "template" / database.name)
    for point, ended in deed.strike(matrix, faults, name=f"upgrade {old}"):
        check_end(point, ended)
        assert unsound_database(deed.paths) == [], point
        found = schema_of(database)
        assert found == HEAD or (found == old and not ended.stdout), (point, ended)
        if found == HEAD:
            assert lacks_nothing_of(before, rows_of(database)), point
        else:
            assert (rows_of(database), definitions(database)) == (before, tables), point
        again = deed.do()
        assert again.exit_code == 0, (point, again)
        assert schema_of(database) == HEAD, point
        assert lacks_nothing_of(before, rows_of(database)), point
        assert unsound(deed.paths) == [], point
        copies = list(home.glob(f"{database.name}.before-{HEAD}*"))
        assert copies, point
        for copy in copies:
            # No draft is left, and what has the name of a backup is a whole one.
            assert (schema_of(copy), rows_of(copy)) == (old, before), (point, copy)
        beside = {path.name for path in home.iterdir()} - {copy.name for copy in copies}
        assert beside <= {database.name, "objects", "creation.lock", "worker.lock", "starter.lock", "worker.log"}, point


@each_fault
def test_a_backup_is_whole_or_not_there_and_its_original_is_untouched(
    faults: Sequence[str], tmp_path: Path, matrix: Matrix
) -> None:
    fill(tmp_path / "template")
    original = StorePaths(tmp_path / "template").database.read_bytes()
    deed = Deed(tmp_path, command, ("store", "backup", str(tmp_path / "stage" / "copy")))
    copy = StorePaths(tmp_path / "stage" / "copy")
    deed.set_up()
    here = account_of(deed.paths)
    assert deed.do().exit_code == 0
    there = account_of(copy)
    assert [job["job"][0][0] for job in there] == ["DONE", "QUEUED", "QUEUED"]
    for point, ended in deed.strike(matrix, faults, name="backup"):
        check_end(point, ended)
        assert (account_of(deed.paths), unsound(deed.paths)) == (here, []), point
        assert deed.paths.database.read_bytes() == original, point
        assert ended.exit_code != 0 or copy.home.exists(), point
        is_there = copy.home.exists()
        for draft in map(StorePaths, deed.stage.glob(".*")):
            with forked(command, "store", "check", home=draft.home, outputs=tmp_path) as check:
                check.go()
                said = check.end()
            # Nobody can take it for a store, or it lacks nothing but files, or nothing at all.
            assert account_of(draft) in ([], there), point
            assert said.exit_code == (UNUSABLE if account_of(draft) == [] or unsound(draft) else 0), (point, said)
        again = deed.do()
        assert again.exit_code == (MISPLACED if is_there else 0), (point, again)
        assert (account_of(copy), unsound(copy)) == (there, []), point
        assert sorted(path.name for path in deed.stage.iterdir()) == ["copy", "home"], point


@each_fault
@pytest.mark.parametrize("parts", [(), ("--results",), ("--results", "--circuits")], ids=["jobs", "results", "both"])
def test_what_is_pruned_goes_whole_or_stays_and_the_database_is_sound(
    parts: tuple[str, ...], faults: Sequence[str], tmp_path: Path, matrix: Matrix
) -> None:
    fill(tmp_path / "template")
    add_what_takes_room(tmp_path / "template")
    deed = Deed(tmp_path, command, ("store", "prune", "--older-than", "0s", *parts, "--yes"))
    deed.set_up()
    before = account_of(deed.paths)
    assert deed.do().exit_code == 0
    after = account_of(deed.paths)
    assert after != before
    # It is written anew as well.
    template = StorePaths(tmp_path / "template").database
    assert deed.paths.database.stat().st_size < template.stat().st_size - 2**20
    for point, ended in deed.strike(matrix, faults, name=f"prune {' '.join(parts)}"):
        check_end(point, ended)
        found = account_of(deed.paths)
        assert found == after or (found == before and not ended.stdout), (point, ended)
        assert unsound(deed.paths) == [], point
        again = deed.do()
        assert again.exit_code == (NOTHING_MATCHED if found == after else 0), (point, again)
        assert (account_of(deed.paths), unsound(deed.paths)) == (after, []), point


def add_what_takes_room(home: Path) -> None:
    """Add a job that has ended, with enough in the database that it is worth writing it anew without."""
    scene = Scene(home)
    texts = [f"{BELL}//{250_000 * character}\n" for character in "abcdef"]
    circuits = tuple(CircuitBytes("circuit", "openqasm2", text.encode()) for text in texts)
    (job,) = scene.put(scene.request(BELL, circuits=circuits, plan=Plan(6, 1), priority=1))
    with Stage(scene.paths) as stage:
        stage.start(job)
        stage.record(job, *range(6), data=b'{"x": "' + 250_000 * b"x" + b'"}')
        stage.finish(job)
    scene.client.close()


def fill(home: Path) -> None:
    """Put a job that has ended, with an object file, one that runs, and one that waits, with another such file."""
    texts = [f"{BELL}//{300_000 * '.'}\n", BELL, f"{BELL}//{300_001 * '.'}\n"]
    scene = Scene(home)
    ended, running, _ = scene.put(*(scene.request(text, plan=Plan(1, 1)) for text in texts))
    with Stage(scene.paths) as stage:
        stage.run_through(ended)
        stage.start(running)
    scene.client.close()


def definitions(database: Path) -> list[tuple[str, str | None]]:
    """Give the tables, indexes and triggers of a database that nobody has open."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)) as connection:
        return connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
