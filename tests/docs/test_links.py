"""Links inside the repository lead somewhere, and the documents stay about the project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.markdown import DOCUMENTS, ROOT, anchors, code_blocks, links, text_of


def test_there_are_documents() -> None:
    assert {"README.md", "CHANGELOG.md", "docs/architecture.md", "docs/lifecycle.md"} <= {
        str(document.relative_to(ROOT)) for document in DOCUMENTS
    }


def resolves(document: Path, link: str) -> bool:
    """Tell whether a relative link leads to a file of the repository, and to a heading where it names one."""
    path, _, anchor = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or anchor in anchors(target.read_text(encoding="utf-8"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_resolve(document: Path) -> None:
    local = [link for link in links(document.read_text(encoding="utf-8")) if not re.match(r"[a-z]+:", link)]
    assert [link for link in local if not resolves(document, link)] == []


def test_the_readme_leads_to_every_document() -> None:
    linked = {(ROOT / link).resolve() for link in links(text_of("README.md")) if "://" not in link}
    assert set(DOCUMENTS) - {ROOT / "README.md"} <= linked


def test_the_readmes_python_is_python() -> None:
    blocks = code_blocks(text_of("README.md"), "python")
    assert blocks
    for block in blocks:
        compile(block, "README.md", "exec")
