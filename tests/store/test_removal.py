"""Files that are removed: small ones at once, large ones out of the way at once and then for good."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from aerjob_cli.store.removal import remove_soon

MIB = 2**20


@pytest.mark.parametrize("size_bytes", [0, MIB, 64 * MIB])
def test_a_file_is_gone(tmp_path: Path, size_bytes: int) -> None:
    aside, path = tmp_path / "aside", tmp_path / "file"
    aside.mkdir()
    path.write_bytes(bytes(size_bytes))
    remove_soon(path, aside=aside)
    assert not path.exists()
    for thread in threading.enumerate():
        if thread.name == "removal":
            thread.join()
    assert list(aside.iterdir()) == []


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        remove_soon(tmp_path / "file", aside=tmp_path)
