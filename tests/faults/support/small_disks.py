"""A disk of our own that can be filled: a small tmpfs, mounted where only a forked child of the test sees it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from aerjob_cli.processes import die_with_parent

# mount(2), unshare(2)
_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_MS_BIND = 4096
_MS_REC = 16384
_MS_PRIVATE = 1 << 18
_CANNOT_MOUNT = 77
_KIB = 1024
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class SmallDisk:
    """A disk that has ``folder`` for its root; ``beside`` is a folder on another one, for what must always be told."""

    folder: Path
    beside: Path

    def fill(self, *, but_kib: int = 0) -> None:
        """Leave only so much room."""
        self.free()
        found = os.statvfs(self.folder)
        left_kib = found.f_bavail * found.f_frsize // _KIB
        # What is written may need room for itself as well, so that it does not all find its place.
        with contextlib.suppress(OSError), self._filler.open("wb", buffering=0) as file:
            file.write(bytes(max(0, left_kib - but_kib) * _KIB))

    def free(self) -> None:
        """Give back the room."""
        self._filler.unlink(missing_ok=True)

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"


def on_a_small_disk(program: Callable[[SmallDisk], None], folder: Path, *, size_kib: int) -> None:
    """Run a part of a test in a child that has a new disk; its failures are those of the test."""
    place, beside = folder / "disk", folder / "beside"
    place.mkdir()
    beside.mkdir()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            die_with_parent(parent)
            _mount(place, size_kib)
            program(SmallDisk(place, beside))
            code = 0
        except _CannotMount:
            code = _CANNOT_MOUNT
        except BaseException:  # noqa: BLE001 - the child of a test has no other way to tell
            (beside / "failure").write_text(traceback.format_exc())
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == _CANNOT_MOUNT:
        pytest.skip("nothing may be mounted here")
    failure = beside / "failure"
    assert code == 0, failure.read_text() if failure.exists() else code


def bind(source: Path, target: Path) -> None:
    """Have one file stand in the place of another, in the namespace of this process."""
    _call(_LIBC.mount, os.fsencode(source), os.fsencode(target), None, _MS_BIND, None)


class _CannotMount(Exception):
    """This user, or this container, may mount nothing."""


def _mount(place: Path, size_kib: int) -> None:
    user, group = os.geteuid(), os.getegid()
    try:
        _call(_LIBC.unshare, _CLONE_NEWNS | (_CLONE_NEWUSER if user else 0))
        if user:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"0 {user} 1")
            Path("/proc/self/gid_map").write_text(f"0 {group} 1")
        _call(_LIBC.mount, None, b"/", None, _MS_REC | _MS_PRIVATE, None)
        options = f"size={size_kib}k,mode=700".encode()
        _call(_LIBC.mount, b"none", os.fsencode(place), b"tmpfs", 0, options)
    except OSError as error:
        raise _CannotMount from error


def _call(function: Callable[..., int], *arguments: object) -> None:
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
