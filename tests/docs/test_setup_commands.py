"""The README's two set-up commands: one that shows counts, one that runs the tests, as `.ci/run` does."""

from __future__ import annotations

import os
import shlex
import tomllib
from pathlib import Path

from tests.docs.markdown import ROOT, code_blocks, text_of


def setup_commands() -> tuple[str, str]:
    """Give the two commands under "Set up", each the only line of its block."""
    section = text_of("README.md").partition("## Set up\n")[2].partition("\n## ")[0]
    counts, tests = (block.strip() for block in code_blocks(section, "sh"))
    assert "\n" not in counts + tests
    return counts, tests


def test_the_first_command_ends_with_the_counts_of_an_example() -> None:
    counts, _ = setup_commands()
    *_, run = counts.split(" && ")
    program, verb, circuit = shlex.split(run)
    assert Path(program).name == "aerjob"
    assert verb == "run"
    assert (ROOT / circuit).is_file()


def test_ci_runs_the_tests_by_the_readmes_command_and_shows_their_end() -> None:
    _, tests = setup_commands()
    *_, last_line = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert last_line == tests


def test_both_commands_make_what_they_need() -> None:
    for command in setup_commands():
        make, install, _ = command.split(" && ")
        folder = shlex.split(make)[-1]
        assert make == f"python3 -m venv {folder}"
        assert install.startswith(f"{folder}/bin/pip install -q ")
        assert f"{folder}/" in text_of(".gitignore").splitlines()


def test_the_installed_extras_exist() -> None:
    _, tests = setup_commands()
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    assert "'.[test]'" in tests
    assert "test" in project["optional-dependencies"]


def test_ci_is_executable() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)
