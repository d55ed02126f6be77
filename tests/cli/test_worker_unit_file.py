"""The text of the unit: every path comes through as it is, and systemd has nothing to say against it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerjob_cli.cli.services.service import Definition, stem_for
from aerjob_cli.cli.services.unit_file import unit_text
from aerjob_cli.errors import UsageError
from tests.docs.markdown import code_blocks, text_of
from tests.support.unit_files import AWKWARD, command_of, environment_of, fields_of

ANALYZE = shutil.which("systemd-analyze")
paths = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).map(lambda text: Path(f"/{text}/x"))


@given(home=paths, python=paths)
def test_any_path_comes_through(home: Path, python: Path) -> None:
    definition = Definition(home=home, python=python, options=("--slots=2",), drain_grace_s=30.0)
    text = unit_text(definition)
    assert environment_of(text) == {"AERJOB_HOME": str(home)}
    assert command_of(text) == list(definition.command)
    assert len(fields_of(text)) == 15


def test_a_path_that_is_no_text_is_refused() -> None:
    with pytest.raises(UsageError, match="UTF-8"):
        unit_text(Definition(Path("/\udcff"), Path("/python"), (), 30.0))


def test_each_store_has_a_name_of_its_own(tmp_path: Path) -> None:
    usual, other = tmp_path / "usual", tmp_path / "other"
    for folder in (usual, other):
        folder.mkdir()
    (tmp_path / "link").symlink_to(other)
    assert stem_for(usual, usual) == "aerjob-worker"
    assert stem_for(other, usual) == stem_for(tmp_path / "link", usual)
    assert stem_for(other, usual).startswith("aerjob-worker-")
    assert len({stem_for(place, usual) for place in (usual, other, tmp_path)}) == 3


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    place = tmp_path / AWKWARD
    place.mkdir()
    python = place / "python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    for name, program in (("plain", Path("/bin/sh")), ("awkward", python)):
        unit = tmp_path / f"{name}.service"
        unit.write_text(unit_text(Definition(place, program, ("--slots=2",), 30.0)))
        assert ANALYZE is not None
        # Units of the system's have sockets in there, whose paths must be short.
        with tempfile.TemporaryDirectory() as runtime:
            done = subprocess.run(
                [ANALYZE, "verify", "--user", str(unit)],
                env={"XDG_RUNTIME_DIR": runtime, "PATH": "/usr/bin:/bin"},
                capture_output=True,
                text=True,
                check=False,
            )
        assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_is_the_documented_one() -> None:
    (documented,) = code_blocks(text_of("docs/unattended.md"), "ini")
    ada = Path("/home/ada")
    assert documented == unit_text(Definition(ada / ".local/state/aerjob", ada / ".venv/bin/python", (), 30.0))
