"""The disk is full: a sentence and nothing half; and when there is room again, all goes on from where it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aerjob_cli.api.requests import Plan
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import events
from aerjob_cli.store.inspection import inspect_store
from aerjob_cli.store.inventory import draft_files
from aerjob_cli.store.revisions import HEAD
from tests.faults.support.inner_commands import Ended, InnerCommands
from tests.faults.support.sample_store import LARGE, no_worker_for
from tests.faults.support.small_disks import SmallDisk, bind, on_a_small_disk
from tests.support.circuits import BELL, layers
from tests.support.matrix import Matrix
from tests.support.old_stores import lacks_nothing_of, rows_of, schema_of, unpack
from tests.support.running import Scene, cpu_s, scene_in, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mount namespaces are Linux's")

UNUSABLE = 5


def says_full(ended: Ended) -> bool:
    return ended.exit_code == UNUSABLE and "no room" in ended.stderr and not ended.stdout


def rooms_kib(matrix: Matrix, name: str, *, at_most: int) -> list[int]:
    """Choose how much room is left, from none to more than enough."""
    return [0, *matrix.take(range(4, at_most, 4), 2, name=name)]


def test_a_submission_without_room_is_refused_and_the_same_command_works_when_there_is_some(
    tmp_path: Path, matrix: Matrix
) -> None:
    def program(disk: SmallDisk) -> None:
        paths = StorePaths(disk.folder / "home")
        aerjob = InnerCommands(paths.home)
        small, large = disk.beside / "small.qasm", disk.beside / "large.qasm"
        small.write_text(BELL)
        large.write_text(LARGE)
        assert aerjob("list").exit_code == 0
        acknowledged: list[str] = []
        with no_worker_for(paths):
            for room_kib in rooms_kib(matrix, "room for a submission", at_most=700):
                for text in (small, large):
                    disk.fill(but_kib=room_kib)
                    ended = aerjob("submit", text)
                    assert ended.exit_code == 0 or says_full(ended), (room_kib, ended)
                    assert ended.exit_code == UNUSABLE or room_kib > 0, ended
                    disk.free()
                    assert not list(draft_files(paths)), room_kib
                    if ended.exit_code == UNUSABLE:
                        ended = aerjob("submit", text)
                        assert ended.exit_code == 0, (room_kib, ended)
                    acknowledged.append(ended.stdout.strip())
        listed = [job["job_id"] for job in aerjob("list", "--all", "--json").json()["jobs"]]
        assert listed == acknowledged[::-1]
        assert inspect_store(paths).is_sound

    on_a_small_disk(program, tmp_path, size_kib=4096)


def test_a_store_for_which_there_is_no_room_is_not_made_by_half(tmp_path: Path, matrix: Matrix) -> None:
    def program(disk: SmallDisk) -> None:
        paths = StorePaths(disk.folder / "home")
        aerjob = InnerCommands(paths.home)
        for room_kib in rooms_kib(matrix, "room for a store", at_most=300):
            disk.fill(but_kib=room_kib)
            ended = aerjob("list")
            assert ended.exit_code == 0 or says_full(ended), (room_kib, ended)
            assert ended.exit_code == UNUSABLE or room_kib > 0
            assert not list(paths.home.glob("aerjob.db.draft*")), room_kib
            disk.free()
            assert aerjob("list").exit_code == 0
            assert inspect_store(paths).is_sound
            shutil.rmtree(paths.home)

    on_a_small_disk(program, tmp_path, size_kib=4096)


def start_worker(scene: Scene, log: Path) -> subprocess.Popen[bytes]:
    """Start a worker that tells on another disk as well what it does."""
    command = [sys.executable, "-P", "-m", "aerjob_cli.worker", "--home", str(scene.paths.home), "--foreground"]
    with log.open("wb") as file:
        process = subprocess.Popen([*command, "--slots", "1"], stdin=subprocess.DEVNULL, stderr=file)
    scene._workers.append(process)
    return process


def has_come_to_rest(pid: int) -> None:
    """Wait until an executor has nothing more to do: it has sent what came of its job."""
    looks = [cpu_s(pid)]

    def rests() -> bool | None:
        looks.append(cpu_s(pid))
        return (len(looks) > 60 and looks[-1] == looks[-60]) or None

    until(rests)


def test_results_wait_for_room_and_no_attempt_is_charged(tmp_path: Path) -> None:
    def program(disk: SmallDisk) -> None:
        log = disk.beside / "log"
        with scene_in(disk.folder / "home") as scene:
            (warm,) = scene.put(scene.request(BELL))
            process = start_worker(scene, log)
            scene.wait_for_status(warm, Status.DONE)

            # A result that belongs into the database, of which nothing can be written any more.
            (inline,) = scene.put(scene.request(layers(18, 40), plan=Plan(1, 1)))
            executor = scene.wait_for_executor(inline)
            disk.fill()
            has_come_to_rest(executor)
            until(lambda: ("no room left" in log.read_text()) or None)
            assert process.poll() is None
            disk.free()
            done = scene.wait_for_status(inline, Status.DONE)
            assert (done.attempt, done.attempts_charged) == (1, 0)

            # One that belongs into a file of 1 MiB, for which there is no room, and room for the database.
            state = layers(16, 2).replace("measure q -> c;", "")
            disk.fill(but_kib=700)
            (large,) = scene.put(scene.request(state, backend="statevector_simulator", plan=Plan(1, 1)))
            scene.wait(
                lambda tx: any("could not be stored" in event.why for event in events.history(tx, large.seq)) or None
            )
            assert not [file for file in draft_files(scene.paths) if file.size_bytes]
            disk.free()
            done = scene.wait_for_status(large, Status.DONE)
            assert (done.attempts_charged, process.poll()) == (0, None)
            (result,) = scene.client.results(done)
            assert len(result.arrays[0].load()) > 2**20
            assert inspect_store(scene.paths).is_sound

    on_a_small_disk(program, tmp_path, size_kib=8192)


def test_an_upgrade_without_room_leaves_the_old_store_as_it_was_and_works_later(tmp_path: Path, matrix: Matrix) -> None:
    def program(disk: SmallDisk) -> None:
        for room_kib in rooms_kib(matrix, "room for an upgrade", at_most=500):
            paths = unpack("0001", disk.folder / "home")
            before, rows = paths.database.read_bytes(), rows_of(paths.database)
            aerjob = InnerCommands(paths.home)
            disk.fill(but_kib=room_kib)
            ended = aerjob("store", "upgrade")
            assert ended.exit_code == 0 or says_full(ended), (room_kib, ended)
            if ended.exit_code == UNUSABLE:
                disk.free()
                assert (schema_of(paths.database), rows_of(paths.database)) == ("0001", rows), room_kib
                assert paths.database.read_bytes() == before, room_kib
                assert not list(paths.home.glob("*.draft*")), room_kib
                ended = aerjob("store", "upgrade")
                assert ended.exit_code == 0, (room_kib, ended)
            else:
                assert room_kib > 0
            disk.free()
            # What the log still holds is moved to the database by who comes next.
            assert aerjob("list").exit_code == 0
            assert (schema_of(paths.database), lacks_nothing_of(rows, rows_of(paths.database))) == (HEAD, True)
            shutil.rmtree(paths.home)

    on_a_small_disk(program, tmp_path, size_kib=4096)


def test_a_backup_without_room_leaves_nothing_and_works_later(tmp_path: Path, matrix: Matrix) -> None:
    def program(disk: SmallDisk) -> None:
        with scene_in(disk.beside / "home") as scene:
            scene.put(scene.request(BELL), scene.request(LARGE))
            aerjob = InnerCommands(scene.paths.home)
            place = disk.folder / "copy"
            for room_kib in rooms_kib(matrix, "room for a backup", at_most=500):
                disk.fill(but_kib=room_kib)
                ended = aerjob("store", "backup", place)
                assert ended.exit_code == 0 or says_full(ended), (room_kib, ended)
                if ended.exit_code == UNUSABLE:
                    assert {path.name for path in disk.folder.iterdir()} == {"filler"}, room_kib
                    disk.free()
                    assert aerjob("store", "backup", place).exit_code == 0
                disk.free()
                assert inspect_store(StorePaths(place)).is_sound
                shutil.rmtree(place)

    on_a_small_disk(program, tmp_path, size_kib=8192)


def test_a_worker_goes_on_when_its_log_cannot_be_written(tmp_path: Path) -> None:
    def program(disk: SmallDisk) -> None:
        with scene_in(disk.beside / "home") as scene:
            # Only the log lies on the disk that is full.
            for path in (disk.folder / "log", scene.paths.worker_log):
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            bind(disk.folder / "log", scene.paths.worker_log)
            disk.fill()
            first, second = scene.put(scene.request(BELL), scene.request(BELL))
            process = scene.start_worker("--slots", "1")
            scene.wait_for_status(second, Status.DONE)
            assert scene.log() == ""
            disk.free()
            (third,) = scene.put(scene.request(BELL))
            scene.wait_for_status(third, Status.DONE)
            until(lambda: ("could not be written" in scene.log()) or None)
            assert first.job_id not in scene.log()
            assert third.job_id in scene.log()
            assert process.poll() is None

    on_a_small_disk(program, tmp_path, size_kib=64)
