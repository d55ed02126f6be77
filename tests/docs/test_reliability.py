"""Each guarantee of docs/reliability.md has a test that exists and is run; the fault matrix is all named there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, text_of

_DOCUMENT = "docs/reliability.md"
_TEST = re.compile(r"tests/\S+?\.py::test_\w+")
_GUARANTEE = re.compile(r"^\| (?P<guarantee>[A-Z`].*\.) \| (?P<test>.*) \|$", re.MULTILINE)

# What pytest is asked with: it says of each test that it would run whether it is to be skipped whatever happens.
_LISTING = """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        always = any(True for mark in item.iter_markers("skip"))
        print(("never " if always else "runs ") + item.nodeid.partition("[")[0])
"""


@pytest.fixture(scope="module")
def named() -> list[str]:
    """The tests that the document names, in its order."""
    return list(dict.fromkeys(_TEST.findall(text_of(_DOCUMENT))))


def test_each_guarantee_is_a_sentence_with_its_test() -> None:
    rows = _GUARANTEE.findall(text_of(_DOCUMENT))
    assert len(rows) > 50
    assert [row for row in rows if not re.fullmatch(f"`{_TEST.pattern}`", row[1])] == []
    guarantees = [guarantee for guarantee, _ in rows]
    assert len(set(guarantees)) == len(guarantees)


def test_each_named_test_exists_and_is_run(named: list[str], tmp_path: Path) -> None:
    (tmp_path / "listing.py").write_text(_LISTING, encoding="utf-8")
    files = sorted({test.partition("::")[0] for test in named})
    assert [file for file in files if not (ROOT / file).is_file()] == []
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "-p",
        "listing",
        "-p",
        "no:cacheprovider",
        *files,
    ]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = set(done.stdout.splitlines())
    assert [test for test in named if f"runs {test}" not in found] == []


def test_each_file_of_the_fault_matrix_has_its_guarantee(named: list[str]) -> None:
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "faults").glob("test_*.py")}
    assert files <= {test.partition("::")[0] for test in named}
