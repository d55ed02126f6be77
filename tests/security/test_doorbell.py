"""The doorbell carries one meaningless byte, and nothing that is done to it harms a client, a worker or a job."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aerjob_cli.states import Status
from aerjob_cli.store.doorbell import Doorbell, is_heard, ring
from tests.support.circuits import BELL
from tests.support.running import Scene, cpu_s, scene_in, until

_MIB = 2**20


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A store whose one worker serves all tests here, and never notices what is done to its bell."""
    with scene_in(tmp_path_factory.mktemp("doorbell") / "home") as made:
        made.start_worker()
        yield made


def _is_done(scene: Scene) -> None:
    """See that a job of a client that rings is done, by the same worker."""
    worker = scene.worker().pid
    (job,) = scene.put(scene.request(BELL))
    ring(scene.paths.doorbell)
    scene.wait_for_status(job, Status.DONE)
    assert scene.worker().pid == worker


def _poured(path: Path, data: bytes) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    poured = 0
    try:
        while poured < len(data):
            try:
                poured += os.write(descriptor, data[poured:])
            except BlockingIOError:
                os.close(descriptor)
                until(lambda: is_heard(path) or None)
                descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    finally:
        os.close(descriptor)
    return poured


def test_a_ring_is_one_byte_that_says_nothing(tmp_path: Path) -> None:
    bell = Doorbell.hang(tmp_path / "bell")
    assert ring(bell.path)
    assert os.read(bell.descriptor, 100) == b"\0"
    bell.take_down()
    assert not ring(bell.path)


def test_a_bell_full_of_garbage_is_as_good_as_one_that_rings(tmp_path: Path) -> None:
    bell = Doorbell.hang(tmp_path / "bell")
    with contextlib.suppress(BlockingIOError):
        while os.write(bell.descriptor, os.urandom(4096)):
            pass
    assert ring(bell.path)
    assert is_heard(bell.path)
    bell.silence()
    with pytest.raises(BlockingIOError):
        os.read(bell.descriptor, 1)
    bell.take_down()


def test_a_worker_tolerates_a_megabyte_of_garbage(scene: Scene) -> None:
    garbage = b'{"kind": "cancel"}\n\xff\x00DROP TABLE jobs;' * (_MIB // 40)
    assert _poured(scene.paths.doorbell, garbage) == len(garbage)
    _is_done(scene)


def test_a_worker_goes_on_when_somebody_else_reads_the_rings(scene: Scene) -> None:
    thief = os.open(scene.paths.doorbell, os.O_RDONLY | os.O_NONBLOCK)
    try:
        for _ in range(3):
            (job,) = scene.put(scene.request(BELL))
            ring(scene.paths.doorbell)
            with contextlib.suppress(BlockingIOError):
                os.read(thief, 100)
            scene.wait_for_status(job, Status.DONE)
    finally:
        os.close(thief)


def _removed(path: Path) -> None:
    pass


def _file(path: Path) -> None:
    path.write_text("ring")


def _link(path: Path) -> None:
    path.with_name("victim").write_text("precious")
    path.symlink_to(path.with_name("victim"))


def _link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "file").touch()


def _deaf_pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        os.chdir(path.parent)  # a socket's name may have 108 bytes at most
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


REPLACEMENTS = [_removed, _file, _link, _link_to_a_device, _folder, _deaf_pipe, _socket]


def _replace(path: Path, make: Callable[[Path], None]) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    make(path)


@pytest.mark.parametrize("make", REPLACEMENTS)
def test_a_bell_that_was_replaced_costs_no_job(scene: Scene, make: Callable[[Path], None]) -> None:
    """The worker of the store is not told any more, and looks by itself once a second."""
    _replace(scene.paths.doorbell, make)
    assert not ring(scene.paths.doorbell)
    assert not is_heard(scene.paths.doorbell)
    before_s, worker = cpu_s(scene.worker().pid), scene.worker().pid
    _is_done(scene)
    assert cpu_s(worker) - before_s < 5  # it does not spin
    victim = scene.paths.home / "victim"
    assert not victim.exists() or victim.read_text() == "precious"


@pytest.mark.parametrize("make", REPLACEMENTS)
def test_a_new_worker_hangs_its_bell_in_the_place_of_anything(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "bell"
    make(path)
    bell = Doorbell.hang(path)
    assert ring(path)
    assert os.read(bell.descriptor, 100) == b"\0"
    victim = tmp_path / "victim"
    assert not victim.exists() or victim.read_text() == "precious"
    bell.take_down()
