"""Files that are written in parts: nothing of them is changed by beginning early, and what the disk says is heard."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from aerjob_cli.store.early_writing import EarlyWriting

MIB = 2**20


def write(descriptor: int, data: bytes) -> None:
    early = EarlyWriting(descriptor)
    for start in range(0, len(data), MIB):
        early.note(os.write(descriptor, data[start : start + MIB]))
    os.fsync(descriptor)


def test_all_bytes_are_there(tmp_path: Path) -> None:
    data = os.urandom(MIB) * 27
    descriptor = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    write(descriptor, data)
    os.close(descriptor)
    assert (tmp_path / "file").read_bytes() == data


def test_what_cannot_be_begun_early_is_written_all_the_same() -> None:
    reading, writing = os.pipe()
    try:
        early = EarlyWriting(writing)
        for _ in range(40):
            early.note(MIB)
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is begun early")
def test_an_error_of_the_disk_is_raised(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    early = EarlyWriting(descriptor)
    os.close(descriptor)
    with pytest.raises(OSError, match="descriptor") as raised:
        early.note(8 * MIB)
    assert raised.value.errno == errno.EBADF
