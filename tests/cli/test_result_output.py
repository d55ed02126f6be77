"""The file of ``-o``: whole or not at all, in nobody's way, and as its owner's umask wants it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerjob_cli.cli.output_files import OutputFile, output_file
from aerjob_cli.errors import OutputExists, OutputLost, OutputUnwritable


def place(path: Path | str, *, force: bool = False) -> OutputFile:
    found = output_file(str(path), force=force)
    assert found is not None
    return found


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_a_new_file(tmp_path: Path) -> None:
    place(tmp_path / "new").write([b"one ", b"two"])
    assert (tmp_path / "new").read_bytes() == b"one two"
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_stdout_is_no_file() -> None:
    assert output_file(None, force=False) is None
    assert output_file("-", force=False) is None


@pytest.mark.parametrize("force", [True, False])
def test_a_file_that_is_there(tmp_path: Path, force: bool) -> None:
    (tmp_path / "there").write_text("mine")
    (tmp_path / "link").symlink_to("there")
    os.link(tmp_path / "there", tmp_path / "old")
    for name in ("there", "link"):
        if force:
            place(tmp_path / name, force=True).write([b"yours"])
        else:
            with pytest.raises(OutputExists, match="--force"):
                place(tmp_path / name)
    assert (tmp_path / "there").read_text() == ("yours" if force else "mine")
    assert (tmp_path / "link").is_symlink()
    # Replaced, not written into: nobody sees half of it.
    assert (tmp_path / "old").read_text() == "mine"


def test_a_link_to_nothing_yet(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("there")
    place(tmp_path / "link").write([b"yours"])
    assert (tmp_path / "there").read_text() == "yours"


def test_a_file_that_came_meanwhile_is_left_alone(tmp_path: Path) -> None:
    wanted = place(tmp_path / "there")
    (tmp_path / "there").write_text("mine")
    with pytest.raises(OutputExists):
        wanted.write([b"yours"])
    assert (tmp_path / "there").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_a_failure_in_the_middle_changes_nothing(tmp_path: Path, failure: BaseException) -> None:
    def parts() -> Iterator[bytes]:
        yield b"a" * 100_000
        raise failure

    (tmp_path / "there").write_text("mine")
    with pytest.raises(OutputLost if isinstance(failure, OSError) else KeyboardInterrupt):
        place(tmp_path / "there", force=True).write(parts())
    assert (tmp_path / "there").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("nowhere/file", "no such folder"),
        ("folder", "it is a folder"),
        ("new/", "name of a folder"),
        ("pipe", "a device or a pipe"),
        ("/dev/null", "a device or a pipe"),
        ("", "not the name of a file"),
        ("x" * 300, "too long"),
        ("file/within", "no such folder"),
        ("loop", "symbolic links"),
    ],
)
def test_places_where_no_file_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, fact: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("file").write_text("mine")
    Path("loop").symlink_to("loop")
    os.mkfifo("pipe")
    with pytest.raises(OutputUnwritable, match=fact):
        place(name, force=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_does_not_allow_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputUnwritable, match="does not allow"):
        place(tmp_path / "file")
    tmp_path.chmod(0o700)
