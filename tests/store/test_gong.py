"""The gong: it wakes all who wait, in any process; without it they sleep as long as they would have."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from aerjob_cli.store import gong
from aerjob_cli.store.gong import Listener

pytestmark = pytest.mark.skipif(not gong.IS_HEARD, reason="only Linux tells each reader that a writer has left")

_LONG_S = 300.0
_SHORT_S = 0.05
_LISTENER = """
import sys
from pathlib import Path
from aerjob_cli.store.gong import Listener
listener = Listener(Path(sys.argv[1]))
listener.listen()
print("listening", flush=True)
listener.rest(300)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "gong"
    gong.hang(path)
    return path


def listening(place: Path) -> Listener:
    listener = Listener(place)
    listener.listen()
    return listener


def slept_s(listener: Listener, seconds: float) -> float:
    began = time.monotonic()
    listener.rest(seconds)
    return time.monotonic() - began


def test_a_stroke_wakes_all_who_wait_in_any_process(place: Path) -> None:
    others = [
        subprocess.Popen([sys.executable, "-c", _LISTENER, str(place)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    try:
        for other in others:
            assert other.stdout is not None
            assert other.stdout.readline() == "listening\n"
        gong.strike(place)
        assert [other.wait(timeout=_LONG_S / 2) for other in others] == [0, 0, 0]
    finally:
        for other in others:
            other.kill()
            other.communicate()


def test_a_stroke_before_the_rest_is_heard_and_heard_once(place: Path) -> None:
    listener = listening(place)
    gong.strike(place)
    gong.strike(place)
    assert slept_s(listener, _LONG_S) < _LONG_S / 2
    listener.listen()
    assert slept_s(listener, _SHORT_S) >= _SHORT_S
    gong.strike(place)
    assert slept_s(listener, _LONG_S) < _LONG_S / 2
    listener.close()


def test_a_stroke_ends_a_rest(place: Path) -> None:
    listener = listening(place)
    striking = threading.Timer(_SHORT_S, gong.strike, [place])
    striking.start()
    assert slept_s(listener, _LONG_S) < _LONG_S / 2
    striking.join()
    listener.close()


def test_a_stroke_before_somebody_listens_is_not_for_them(place: Path) -> None:
    gong.strike(place)
    listener = listening(place)
    assert slept_s(listener, _SHORT_S) >= _SHORT_S
    listener.close()


def test_a_gong_that_hangs_stays_for_those_who_listen(place: Path) -> None:
    listener = listening(place)
    gong.hang(place)
    gong.strike(place)
    assert slept_s(listener, _LONG_S) < _LONG_S / 2
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    listener.close()


@pytest.mark.parametrize("what", ["nothing", "file", "folder", "link", "dangling link"])
def test_what_is_no_gong_is_slept_beside_and_makes_room_for_one(what: str, tmp_path: Path) -> None:
    path = tmp_path / "gong"
    if what == "file":
        path.write_text("something")
    elif what == "folder":
        path.mkdir()
    elif what == "link":
        os.mkfifo(tmp_path / "other")
        path.symlink_to(tmp_path / "other")
    elif what == "dangling link":
        path.symlink_to(tmp_path / "nowhere")
    listener = listening(path)
    gong.strike(path)
    assert slept_s(listener, _SHORT_S) >= _SHORT_S
    gong.hang(path)
    assert path.is_fifo()
    assert not path.is_symlink()
    listener.listen()
    gong.strike(path)
    assert slept_s(listener, _LONG_S) < _LONG_S / 2
    listener.close()


def test_listeners_keep_no_files_open(place: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    for _ in range(20):
        listener = listening(place)
        gong.strike(place)
        listener.rest(_SHORT_S)
        listener.listen()
        listener.close()
    assert len(os.listdir("/dev/fd")) == before
