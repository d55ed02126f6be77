"""What the page on migration shows as "after" runs, and gives the counts of a Bell pair."""

from __future__ import annotations

import subprocess
import sys
from ast import literal_eval
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.conftest import Environment, environment_on
from tests.docs.markdown import code_blocks, text_of
from tests.support.command_line import CommandLine, end_workers

BELL, *AFTER = code_blocks(text_of("docs/migration.md"), "python")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Iterator[Environment]:
    """One store for all, and a folder in which the circuit is a module."""
    folder = tmp_path_factory.mktemp("migration")
    (folder / "bell.py").write_text(BELL)
    yield {**environment_on(CommandLine(folder / "home", folder), programs), "PYTHONPATH": str(folder)}
    end_workers(folder / "home")


def title(block: str) -> str:
    return block.splitlines()[0].removeprefix("# ")


@pytest.mark.parametrize("block", AFTER, ids=title)
def test_what_is_after_runs(block: str, environment: Environment) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    counts: dict[str, int] = literal_eval(done.stdout)
    assert sum(counts.values()) in (1000, 1024)
    assert counts["00"] + counts["11"] > 900


def test_each_has_what_was_before() -> None:
    assert len(AFTER) == len(code_blocks(text_of("docs/migration.md"), "text")) + 1  # Qiskit's own primitives stay
