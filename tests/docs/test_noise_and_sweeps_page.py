"""The page on noise and sweeps is run from its first command to its last, and prints what it shows."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.docs.conftest import Environment
from tests.docs.markdown import ROOT, text_of
from tests.docs.walkthrough import blocks_of, matches, walk

PAGE = "docs/noise-and-sweeps.md"


def test_the_page_is_run(elsewhere: Environment, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for outcome in walk(blocks_of(text_of(PAGE)), folder=tmp_path, environment=elsewhere):
        place = f"{PAGE}:{outcome.block.line}\n{outcome.printed}"
        assert outcome.status == 0, place
        assert matches(outcome.expected or "", outcome.printed), f"{place}\nshould be\n{outcome.expected}"


def test_every_block_has_a_part_in_it() -> None:
    odd = [block.line for block in blocks_of(text_of(PAGE)) if not block.is_run and block.language != "text"]
    assert odd == []
