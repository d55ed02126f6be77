"""The folders of the tests in memory, where there is room: a sync costs nothing there, and the tests do thousands.

The calls are the same, and so is what tests inject into them, count of them and work out from their trace. What memory
cannot show, that a disk keeps what was synced, no test shows on a disk either: nobody cuts its power.
``--basetemp`` has them anywhere else.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from aerjob_cli.store.flocks import Flock, try_flock

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder that nobody else can enter is made in it
_GIB = 1024**3
# Several times what the tests hold at once, and of the memory no more than a quarter. A container often has 64 MiB.
_ROOM_BYTES = _GIB
_PART_OF_THE_MEMORY = 4
# Some tests let others into the folders of that name that they are in.
_NAME = f"pytest-of-aerjob-{os.getuid()}-"
_HELD: pytest.StashKey[tuple[Path, Flock]] = pytest.StashKey()


def begin(config: pytest.Config) -> None:
    """Have pytest make its folders in memory, unless it was told where, or there is too little of it."""
    is_part_of_a_run = hasattr(config, "workerinput")
    if is_part_of_a_run or config.option.basetemp is not None or not _has_room():
        return
    for leftover in _MEMORY.glob(f"{_NAME}*"):
        _remove_unless_in_use(leftover)
    place = Path(tempfile.mkdtemp(prefix=_NAME, dir=_MEMORY))
    lock = try_flock(place / "lock")
    assert lock is not None
    config.stash[_HELD] = place, lock
    config.option.basetemp = str(place / "pytest")


def end(config: pytest.Config, *, is_clean: bool) -> None:
    """Give the memory back; what a test that failed has left stays until the next run."""
    held = config.stash.get(_HELD, None)
    if held is not None:
        place, lock = held
        lock.release()
        if is_clean:
            shutil.rmtree(place, ignore_errors=True)


def _has_room() -> bool:
    # The memory that is available, and not only what may be used for files: these are not to push a test out.
    with contextlib.suppress(OSError, ValueError):
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        available_bytes = int(lines["MemAvailable"].split()[0]) * 1024
        return min(shutil.disk_usage(_MEMORY).free, available_bytes // _PART_OF_THE_MEMORY) >= _ROOM_BYTES
    return False


def _remove_unless_in_use(place: Path) -> None:
    with contextlib.suppress(OSError):
        # Without a lock it is just being made.
        if (place / "lock").exists() and (lock := try_flock(place / "lock")) is not None:
            lock.release()
            shutil.rmtree(place, ignore_errors=True)
