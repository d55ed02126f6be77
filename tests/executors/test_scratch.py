"""The folders of executors: private, removed a little at a time, and never more than was meant."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from aerjob_cli.executors.scratch import Scratch, end_strays

SWEEPS_AT_MOST = 1000


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "incoming"
    made.mkdir()
    return made


def sweeps_until_gone(folders: Scratch, folder: Path) -> int:
    for number in range(SWEEPS_AT_MOST):
        if not folder.exists():
            return number
        folders.sweep()
    raise AssertionError(f"{folder} is still there")


def test_each_executor_has_a_private_folder(place: Path) -> None:
    folders = Scratch(place, "worker")
    made = [folders.make(serial) for serial in (1, 2)]
    assert made == [place / "worker" / "1", place / "worker" / "2"]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (folders.folder, *made)} == {0o700}


def test_the_folder_of_a_deleted_store_does_not_come_back(place: Path) -> None:
    place.rmdir()
    with pytest.raises(FileNotFoundError):
        Scratch(place, "worker").make(1)
    assert not place.exists()


def test_what_an_executor_left_is_removed_some_at_a_time(place: Path) -> None:
    folders = Scratch(place, "worker")
    kept, left = folders.make(1), folders.make(2)
    for number in range(1000):
        (left / str(number)).touch()
    folders.discard(left)
    assert 2 <= sweeps_until_gone(folders, left) <= 10
    assert kept.exists()


def test_folders_nested_deeper_than_a_stack_are_removed(place: Path) -> None:
    folders = Scratch(place, "worker")
    left = folders.make(1)
    before = os.getcwd()
    try:
        os.chdir(left)
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(before)
    folders.discard(left)
    sweeps_until_gone(folders, left)


def test_links_are_removed_and_not_followed(place: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    folders = Scratch(place, "worker")
    left = folders.make(1)
    (left / "folder").symlink_to(elsewhere)
    (left / "file").symlink_to(elsewhere / "precious")
    folders.discard(left)
    sweeps_until_gone(folders, left)
    assert (elsewhere / "precious").exists()


def test_what_is_still_being_written_to_is_removed_later(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = Scratch(place, "worker")
    left = folders.make(1)
    folders.discard(left)
    remove = os.rmdir

    def written_to_meanwhile(path: str) -> None:
        monkeypatch.setattr(os, "rmdir", remove)
        (Path(path) / "late").touch()
        remove(path)

    monkeypatch.setattr(os, "rmdir", written_to_meanwhile)
    folders.sweep()
    assert (left / "late").exists()
    sweeps_until_gone(folders, left)


def test_a_worker_removes_what_others_left_and_nothing_of_its_own_or_of_clients(place: Path) -> None:
    dead = Scratch(place, "dead-worker").make(1)
    (dead / "draft").touch()
    (place / "draft-of-a-client").touch()
    folders = Scratch(place, "worker")
    own = folders.make(1)
    folders.succeed()
    sweeps_until_gone(folders, dead.parent)
    assert sorted(place.iterdir()) == [place / "draft-of-a-client", place / "worker"]
    assert own.exists()
    folders.close()
    assert list(place.iterdir()) == [place / "draft-of-a-client"]


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell of environments")
def test_only_what_runs_in_a_dead_workers_folder_is_ended(place: Path, tmp_path: Path) -> None:
    dead = Scratch(place, "dead-worker").make(1)
    elsewhere = tmp_path / "dead-worker"
    beside = place / "dead-worker-too"
    for folder in (elsewhere, beside):
        folder.mkdir()
    running = {
        folder: subprocess.Popen(["/bin/sleep", "600"], env={**os.environ, "TMPDIR": str(folder)})
        for folder in (dead, elsewhere, beside)
    }
    try:
        end_strays(place, {"dead-worker"})
        assert running[dead].wait(timeout=60) == -signal.SIGKILL
        assert [running[folder].poll() for folder in (elsewhere, beside)] == [None, None]
    finally:
        for process in running.values():
            process.kill()
            process.wait()
