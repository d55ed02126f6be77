"""The tutorial is run from its first command to its last, and prints what it shows."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docs.conftest import Environment
from tests.docs.markdown import ROOT, text_of
from tests.docs.walkthrough import Block, blocks_of, matches, walk

TUTORIAL = "docs/tutorial.md"
# All that is not run, by its first line, and why.
NOT_RUN = {
    "python3 -m venv .venv && .venv/bin/pip install -q . && . .venv/bin/activate": "the set-up has a test of its own",
    "aerjob watch last": "it needs a person at a terminal",
}


def blocks() -> list[Block]:
    return blocks_of(text_of(TUTORIAL))


def test_the_tutorial_is_run(elsewhere: Environment, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for outcome in walk(blocks(), folder=tmp_path, environment=elsewhere):
        place = f"{TUTORIAL}:{outcome.block.line}\n{outcome.printed}"
        assert outcome.status == 0, place
        assert matches(outcome.expected or "", outcome.printed), f"{place}\nshould be\n{outcome.expected}"
    assert not list(tmp_path.rglob("aerjob.db")), "the end leaves a trace"


def test_only_what_is_listed_is_not_run() -> None:
    assert {block.content.splitlines()[0]: block.not_run for block in blocks() if block.not_run} == NOT_RUN


def test_every_block_has_a_part_in_it() -> None:
    odd = [block.line for block in blocks() if not block.is_run and not block.not_run and block.language != "text"]
    assert odd == []


def test_every_expected_text_belongs_to_what_is_run() -> None:
    texts = [(before, block) for before, block in pairwise(blocks()) if block.language == "text"]
    assert [block.line for before, block in texts if not before.is_run] == []


def test_the_set_up_is_the_readmes() -> None:
    (block, *_) = blocks()
    environment, installation, activation = block.content.strip().split(" && ")
    assert f"{environment} && {installation} && " in text_of("README.md")
    assert activation == ". .venv/bin/activate"
    assert activation in text_of("README.md")


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("exit code 6", "exit code 6\n"),
        ("00  498  49.8  ███", "00   1023    50  ██████▌\n"),
        ("id e77c5020-178a-4257-b60c-8a9e7d02b7c8", "id 3a4b5c6d-178a-4257-b60c-8a9e7d02b7c9"),
        ("e77c5020  DONE  1s ago", "123abc78  DONE  1m30s ago"),
        ("RUNNING  …/24  after 4.1s, …", "RUNNING 9/24 after 500ms, about 3s left"),
        ("first\n…\nlast", "first\nsecond\nthird\nlast"),
        ("first\n…\nlast", "first\nlast"),
        ("at 2026-11-22T20:02:42Z", "at 2027-01-01T00:00:00Z"),
    ],
)
def test_what_differs_each_time_may_differ(expected: str, printed: str) -> None:
    assert matches(expected, printed)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("exit code 6", "exit code 1"),
        ("000  498", "111  498"),
        ("e77c5020  DONE", "e77c5020  ERROR"),
        ("30/30", "29/30"),
        ("first\n…\nlast", "first\nsecond"),
        ("first", "first\nsecond"),
        ("", "something"),
    ],
)
def test_what_matters_must_not_differ(expected: str, printed: str) -> None:
    assert not matches(expected, printed)
