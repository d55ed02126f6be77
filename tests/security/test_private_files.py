"""A store is its owner's alone, whatever the umask and whatever others have put in its place; else it is refused."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from aerjob_cli.errors import AerjobError, StoreForeign, StoreUnusable
from aerjob_cli.settings import INLINE_LIMIT_BYTES, StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store.database import Store
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine, end_workers
from tests.support.running import Scene, scene_in

NOBODY = 65534
IS_ROOT = os.geteuid() == 0
# More than the database takes, so that it becomes an object.
LARGE = BELL + "//" + "x" * INLINE_LIMIT_BYTES


def in_a_child(deed: Callable[[], object], *, user: int | None = None) -> str:
    """Do something in a forked process, as another user if that is wanted; give what came of it as a word."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        said = "nothing"
        try:
            if user is not None:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
            deed()
            said = "done"
        except AerjobError as error:
            said = f"{error.code}: {error.message}"
        except BaseException:  # noqa: BLE001 - the parent shows it
            said = traceback.format_exc()
        finally:
            os.write(writing, said.encode())
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        told = pipe.read().decode()
    os.waitpid(pid, 0)
    return told


def open_all(*folders: Path) -> None:
    """Let any user get to these folders, and to what is above them in the temporary folder."""
    for folder in folders:
        folder.chmod(0o777)
        for above in folder.parents:
            if above.stat().st_uid == os.geteuid() and above.name.startswith(("pytest", "popen", "test_")):
                above.chmod(above.stat().st_mode | 0o111)


def modes_in(home: Path) -> dict[str, str]:
    """Give what is not 0700, or 0600 for what is no folder."""
    return {
        str(path.relative_to(home.parent)): oct(mode)
        for path in (home, *home.rglob("*"))
        if (mode := stat.S_IMODE(path.lstat().st_mode)) != (0o700 if path.is_dir() else 0o600)
    }


def test_what_commands_and_workers_make_is_private_under_a_umask_that_takes_nothing_away(tmp_path: Path) -> None:
    """The whole life of a store: its making, objects, locks, doorbell, log, drafts, results, a backup."""
    # With folders above it that are missing; outside of it only what a user names.
    home = tmp_path / "above" / "home"
    (tmp_path / "large.qasm").write_text(LARGE)
    before = os.umask(0)
    try:
        with scene_in(home) as scene:
            worker = scene.start_worker()
            (job,) = scene.put(scene.request(LARGE, shots=INLINE_LIMIT_BYTES // 4, memory=True))
            scene.wait_for_status(job, Status.DONE)
            assert modes_in(home) == {}
            worker.send_signal(signal.SIGTERM)
            worker.wait()
            backup = tmp_path / "backup"
            aerjob = CommandLine(home, Path("/"))
            assert aerjob("store", "backup", backup).returncode == 0
            assert aerjob("store", "check").returncode == 0
    finally:
        os.umask(before)
    names = {path.name for path in home.rglob("*")}
    assert {"aerjob.db", "objects", "incoming", "worker.lock", "worker.log", "doorbell"} <= names
    assert len([path for path in (home / "objects").rglob("*") if path.is_file()]) == 2
    assert modes_in(home) == {}
    assert modes_in(backup) == {}
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(not IS_ROOT, reason="becomes another user, which only root can")
@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777], ids=oct)
def test_an_owner_without_privileges_can_use_what_was_made_under_any_umask(umask: int, tmp_path: Path) -> None:
    open_all(tmp_path)
    paths = StorePaths(tmp_path / "above" / "home")

    def use() -> None:
        os.umask(umask)
        for _ in range(2):  # the locks and the log are made, and then opened
            store = Store.open(paths)
            with store.writing():
                pass
            store.close()
            scene = Scene(paths.home)
            scene.put(scene.request(LARGE))
            scene.client.close()

    Scene(tmp_path / "of-root").client.close()  # so that all modules are loaded that only root may read
    assert in_a_child(use, user=NOBODY) == "done"
    assert modes_in(paths.home) == {}


@pytest.mark.skipif(not IS_ROOT, reason="becomes another user, which only root can")
def test_a_store_of_another_user_is_refused_and_not_touched(tmp_path: Path) -> None:
    open_all(tmp_path)
    paths = StorePaths(tmp_path / "home")
    Store.open(paths).close()
    paths.home.chmod(0o755)  # as careless as can be
    paths.database.chmod(0o644)
    before = {path: path.lstat().st_mtime_ns for path in (paths.home, *paths.home.rglob("*"))}
    told = in_a_child(lambda: Store.open(paths), user=NOBODY)
    assert told.startswith("store_foreign: the store ")
    assert "belongs to another user" in told
    assert {path: path.lstat().st_mtime_ns for path in (paths.home, *paths.home.rglob("*"))} == before
    # And the other way round: root does not work on another user's store.
    os.chown(paths.home, NOBODY, NOBODY)
    with pytest.raises(StoreForeign, match="belongs to another user"):
        Store.open(paths)


@pytest.mark.skipif(not IS_ROOT, reason="gives a file to another user, which only root can")
def test_a_database_of_another_user_is_refused(tmp_path: Path) -> None:
    paths = StorePaths(tmp_path / "home")
    Store.open(paths).close()
    os.chown(paths.database, NOBODY, NOBODY)
    with pytest.raises(StoreForeign, match="belongs to another user"):
        Store.open(paths)


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o722, 0o1777], ids=oct)
def test_a_folder_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    paths = StorePaths(tmp_path / "home")
    Store.open(paths).close()
    paths.home.chmod(mode)
    with pytest.raises(StoreForeign, match="can be written by other users; run: chmod 700"):
        Store.open(paths)


@pytest.mark.parametrize("mode", [0o660, 0o666, 0o602], ids=oct)
def test_a_database_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    paths = StorePaths(tmp_path / "home")
    Store.open(paths).close()
    paths.database.chmod(mode)
    with pytest.raises(StoreForeign, match="can be written by other users"):
        Store.open(paths)


PLANTED = (
    *("objects", "objects/incoming", "objects/ab", "doorbell", "worker.log", "worker.log.1", "errors.log"),
    *("creation.lock", "starter.lock", "worker.lock", "aerjob.db", "aerjob.db-wal", "aerjob.db.draft"),
)


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("leads_to", ["file", "folder", "nothing"])
def test_a_link_that_was_planted_before_is_refused_and_what_it_leads_to_is_not_touched(
    tmp_path: Path, name: str, leads_to: str
) -> None:
    home, victim = tmp_path / "home", tmp_path / "victim"
    (home / name).parent.mkdir(parents=True)
    home.chmod(0o777)
    if leads_to == "folder":
        victim.mkdir(mode=0o755)
    elif leads_to == "file":
        victim.write_text("precious")
        victim.chmod(0o644)
    (home / name).symlink_to(victim)
    before = victim.lstat() if victim.exists() else None
    with pytest.raises(StoreUnusable):
        Store.open(StorePaths(home))
    assert (victim.lstat() if victim.exists() else None) == before
    assert before is None or victim.is_dir() or victim.read_text() == "precious"


@pytest.mark.skipif(not IS_ROOT, reason="gives a file to another user, which only root can")
@pytest.mark.parametrize("name", ["objects", "worker.log", "aerjob.db-wal", "worker.lock"])
def test_what_another_user_has_put_there_before_is_refused(tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o777)
    place = home / name
    place.mkdir() if name == "objects" else place.touch()
    os.chown(place, NOBODY, NOBODY)
    with pytest.raises(StoreForeign, match="belongs to another user"):
        Store.open(StorePaths(home))
    assert not (home / "aerjob.db").exists()


def test_what_is_planted_later_is_not_followed(tmp_path: Path) -> None:
    """Its owner could only do that to himself, or somebody while the folder stood open."""
    home, victim = tmp_path / "home", tmp_path / "victim"
    victim.write_text("precious")
    victim.chmod(0o644)
    (tmp_path / "bell.qasm").write_text(BELL)
    aerjob = CommandLine(home, tmp_path)
    assert aerjob("list").returncode == 0
    try:
        for name in ("worker.log", "errors.log", "doorbell"):
            (home / name).symlink_to(victim)
        done = aerjob("run", "bell.qasm")
        assert done.returncode == 0, done.stderr
        assert stat.S_ISFIFO((home / "doorbell").lstat().st_mode)
    finally:
        end_workers(home)
    assert victim.read_text() == "precious"
    assert stat.S_IMODE(victim.stat().st_mode) == 0o644
    shutil.rmtree(home / "objects" / "incoming")
    (home / "objects" / "incoming").symlink_to(tmp_path)
    refused = aerjob("list")
    assert refused.returncode == 5
    assert "is a symbolic link" in refused.stderr


def test_a_home_that_is_a_link_to_a_folder_of_ones_own_is_that_folder(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(mode=0o755)
    (tmp_path / "home").symlink_to(tmp_path / "disk")
    Store.open(StorePaths(tmp_path / "home")).close()
    assert modes_in(tmp_path / "disk") == {}
    if IS_ROOT:
        os.chown(tmp_path / "disk", NOBODY, NOBODY)
        with pytest.raises(StoreForeign):
            Store.open(StorePaths(tmp_path / "home"))
