"""What the documents' commands find: `aerjob` and `python` on the PATH, and a private store."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, end_workers

Environment = dict[str, str]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the programs of this installation."""
    folder = tmp_path_factory.mktemp("programs")
    for name, command in (("aerjob", [sys.executable, "-m", "aerjob_cli"]), ("python", [sys.executable])):
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    return folder


@pytest.fixture
def script_environment(aerjob: CommandLine, programs: Path) -> Environment:
    """An environment whose PATH leads to this `aerjob`, on the private store."""
    return environment_on(aerjob, programs)


@pytest.fixture
def elsewhere(tmp_path: Path, programs: Path) -> Iterator[Environment]:
    """An environment that leaves it to the commands where their stores are, as long as that is below ``tmp_path``."""
    environment = environment_on(CommandLine(tmp_path / "home", tmp_path), programs)
    yield environment | {"TMPDIR": str(tmp_path)}
    for database in tmp_path.rglob("aerjob.db"):
        end_workers(database.parent)


def environment_on(aerjob: CommandLine, programs: Path) -> Environment:
    """Give the environment of a command line, with these programs first."""
    return aerjob.environment({"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"})
