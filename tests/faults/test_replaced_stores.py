"""The store is deleted, or another one is put in its place, while a worker works on it and clients wait."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from aerjob_cli.api.client import Client
from aerjob_cli.api.requests import Plan
from aerjob_cli.errors import StoreReplaced
from aerjob_cli.settings import Settings, StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store.inspection import inspect_store
from tests.support.circuits import BELL, ENDLESS
from tests.support.command_line import DEADLINE_S, CommandLine
from tests.support.running import Scene, gone, until

UNUSABLE = 5
# A lease of 1.5 s is renewed every half second, before which the worker looks whether the store is still there.
LEASE = ("--slots", "1", "--lease", "1.5")


def folder_deleted(paths: StorePaths, other: StorePaths) -> None:
    # What is in use may come back while it is removed; it goes at once under another name.
    aside = paths.home.with_name("deleted")
    paths.home.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def database_deleted(paths: StorePaths, other: StorePaths) -> None:
    paths.database.unlink()


def another_store_there(paths: StorePaths, other: StorePaths) -> None:
    paths.home.rename(paths.home.with_name("aside"))
    other.home.rename(paths.home)


def another_database_there(paths: StorePaths, other: StorePaths) -> None:
    # With its log, which is no longer that of the database: SQLite would mix the two.
    for path in paths.home.glob("aerjob.db*"):
        path.unlink()
    other.database.rename(paths.database)


def a_folder_there(paths: StorePaths, other: StorePaths) -> None:
    paths.database.unlink()
    paths.database.mkdir()


@pytest.fixture
def other(tmp_path: Path) -> StorePaths:
    """Another store, with a job that waits for a worker."""
    made = Scene(tmp_path / "other")
    made.put(made.request(BELL, plan=Plan(1, 1)))
    made.client.close()
    return made.paths


def content_of(paths: StorePaths) -> dict[str, bytes]:
    """Give the files of a store but for those that every worker has beside it."""
    files = [path for path in paths.home.rglob("*") if path.is_file()] if paths.database.is_file() else []
    return {
        str(path.relative_to(paths.home)): path.read_bytes() for path in files if not path.name.startswith("worker.")
    }


@pytest.mark.parametrize(
    "replace", [folder_deleted, database_deleted, another_store_there, another_database_there, a_folder_there]
)
def test_a_worker_ends_and_a_wait_says_so_when_the_store_is_no_longer_the_one_they_opened(
    scene: Scene, other: StorePaths, tmp_path: Path, replace: Callable[[StorePaths, StorePaths], None]
) -> None:
    (job,) = scene.put(scene.request(ENDLESS, plan=Plan(1, 1)))
    process = scene.start_worker(*LEASE)
    scene.wait_for_executor(job)
    worker = scene.worker()
    aerjob = CommandLine(scene.paths.home, tmp_path)
    waiting = aerjob.start("wait", job.job_id)
    until(lambda: waits_on(waiting, scene.paths) or None)
    replace(scene.paths, other)
    there = content_of(scene.paths)
    stdout, stderr = waiting.communicate(timeout=DEADLINE_S)
    assert waiting.returncode == UNUSABLE, (stdout, stderr)
    assert "deleted or replaced" in stderr
    assert "Traceback" not in stderr
    with pytest.raises(StoreReplaced):
        scene.put(scene.request(BELL))
    assert process.wait(timeout=DEADLINE_S) == UNUSABLE
    until(lambda: gone(worker) or None)
    assert content_of(scene.paths) == there
    if there:
        assert inspect_store(scene.paths).is_sound
        new = Client(Settings(paths=scene.paths))
        (found,) = new.resolve(["last"])
        assert (found.job_id != job.job_id, found.status) == (True, Status.QUEUED)
        new.close()


def waits_on(process: subprocess.Popen[str], paths: StorePaths) -> bool:
    """Tell whether a process has both connections that it waits with, and has read with each (Linux).

    One that was opened and has not read yet would open the log of whatever database is there by then.
    """
    try:
        links = [link.readlink() for link in Path(f"/proc/{process.pid}/fd").iterdir()]
    except OSError:
        return False
    return links.count(paths.database.with_name("aerjob.db-wal")) == 2
