"""A symbolic link in the place of something of the store: what it leads to is never read as ours, changed or made.

The folder of the store itself may be one: it is its user's choice, and the folder that it leads to is looked at as any
other. All else is refused, or replaced by what belongs there: behind a link the mode of the folder protects nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aerjob_cli.api.client import Client
from aerjob_cli.errors import StoreUnusable
from aerjob_cli.settings import Settings
from aerjob_cli.states import Status
from aerjob_cli.store import gong
from tests.faults.support.inner_commands import InnerCommands
from tests.support.circuits import BELL
from tests.support.running import Scene

UNUSABLE = 5
SECRET = b"nothing of aerjob's\n"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file that a link leads to."""
    place = tmp_path / "target"
    place.write_bytes(SECRET)
    place.chmod(0o640)
    return place


def is_untouched(target: Path) -> bool:
    return (target.read_bytes(), target.stat().st_mode & 0o777) == (SECRET, 0o640)


@pytest.mark.parametrize("name", ["aerjob.db", "aerjob.db-wal", "aerjob.db-journal", "aerjob.db-shm"])
def test_a_link_in_place_of_the_database_or_its_log_is_refused(scene: Scene, target: Path, name: str) -> None:
    (job,) = scene.put(scene.request(BELL))
    scene.client.close()
    place = scene.paths.home / name
    place.unlink(missing_ok=True)
    place.symlink_to(target)
    aerjob = InnerCommands(scene.paths.home)
    for command in (("list",), ("cancel", job.job_id), ("store", "check"), ("store", "check", "--repair")):
        ended = aerjob(*command)
        # A journal that is not looked at, since the database keeps a log instead, harms nobody.
        assert ended.exit_code in ((0, UNUSABLE) if name.endswith(("-journal", "-shm")) else (UNUSABLE,)), ended
    assert is_untouched(target)


def test_a_link_to_another_store_is_not_taken_for_the_store(scene: Scene, tmp_path: Path) -> None:
    scene.put(scene.request(BELL))
    scene.client.close()
    before = scene.paths.database.read_bytes()
    (tmp_path / "linked").mkdir(mode=0o700)
    (tmp_path / "linked" / "aerjob.db").symlink_to(scene.paths.database)
    ended = InnerCommands(tmp_path / "linked")("list")
    assert (ended.exit_code, ended.stdout) == (UNUSABLE, "")
    assert "is not a regular file" in ended.stderr
    assert scene.paths.database.read_bytes() == before


def test_the_folder_of_the_store_may_be_a_link(scene: Scene, tmp_path: Path) -> None:
    (job,) = scene.put(scene.request(BELL))
    (tmp_path / "link").symlink_to(scene.paths.home)
    aerjob = InnerCommands(tmp_path / "link")
    assert aerjob("status", job.job_id).exit_code == 0
    # Where it leads is looked at as a folder without any link would be.
    scene.paths.home.chmod(0o777)
    ended = aerjob("status", job.job_id)
    assert ended.exit_code == UNUSABLE
    assert "can be written by other users" in ended.stderr


@pytest.mark.parametrize("name", ["objects", "objects/incoming"])
def test_a_link_in_place_of_the_object_folder_is_refused(scene: Scene, tmp_path: Path, name: str) -> None:
    scene.client.close()
    elsewhere = tmp_path / "elsewhere"
    shutil.move(scene.paths.home / name, elsewhere)
    (scene.paths.home / name).symlink_to(elsewhere)
    before = sorted(elsewhere.rglob("*"))
    aerjob = InnerCommands(scene.paths.home)
    (tmp_path / "large.qasm").write_text(BELL + "// as many bytes as it takes to be a file\n" * 7000)
    for command in (("list",), ("submit", str(tmp_path / "large.qasm")), ("store", "check"), ("store", "clean")):
        ended = aerjob(*command)
        assert ended.exit_code == UNUSABLE, ended
    assert sorted(elsewhere.rglob("*")) == before


@pytest.mark.parametrize("name", ["starter.lock", "creation.lock", "worker.lock"])
def test_a_link_in_place_of_a_lock_is_refused_with_a_sentence(scene: Scene, target: Path, name: str) -> None:
    (job,) = scene.put(scene.request(BELL))
    place = scene.paths.home / name
    place.unlink(missing_ok=True)
    place.symlink_to(target)
    if name == "starter.lock":
        client = Client(Settings(paths=scene.paths))
        with pytest.raises(StoreUnusable, match="is a symbolic link"):
            next(client.wait([job], timeout_s=60), None)
        client.close()
        assert InnerCommands(scene.paths.home)("worker", "start").exit_code == UNUSABLE
    elif name == "creation.lock":
        # It is needed for a new store.
        scene.client.close()
        scene.paths.database.unlink()
        ended = InnerCommands(scene.paths.home)("list")
        assert (ended.exit_code, "is a symbolic link" in ended.stderr) == (UNUSABLE, True)
        assert not scene.paths.database.exists()
    else:
        command = [sys.executable, "-m", "aerjob_cli.worker", "--home", str(scene.paths.home)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == UNUSABLE
        assert "Traceback" not in done.stderr + scene.log()
        assert "is a symbolic link" in done.stderr + scene.log()
    assert is_untouched(target)


def test_a_worker_goes_on_without_a_log_and_with_bells_of_its_own_where_links_are(scene: Scene, target: Path) -> None:
    (job,) = scene.put(scene.request(BELL))
    pipe = target.with_name("pipe")
    os.mkfifo(pipe)
    bells = [scene.paths.doorbell, *([scene.paths.gong] if gong.IS_HEARD else [])]
    for place, leads_to in ((scene.paths.worker_log, target), *((bell, pipe) for bell in bells)):
        place.symlink_to(leads_to)
    scene.start_worker()
    scene.wait_for_status(job, Status.DONE)
    assert is_untouched(target)
    assert scene.paths.worker_log.is_symlink()
    for bell in bells:
        assert not bell.is_symlink()
        assert bell.is_fifo()
