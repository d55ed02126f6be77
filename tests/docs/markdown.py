"""The Markdown of this repository, read as far as tests need it: tables, links, code blocks."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])

Row = dict[str, str]

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
_CODE_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text_of(document: str) -> str:
    """Read a document by its path from the root of the repository."""
    return (ROOT / document).read_text(encoding="utf-8")


def table(document: str, *headings: str) -> list[Row]:
    """Give the rows of the one table with these headings, each as a dictionary."""
    found = [rows for heads, rows in _tables(text_of(document)) if heads == list(headings)]
    assert len(found) == 1, f"{document} has {len(found)} tables with the headings {headings}"
    return found[0]


def links(text: str) -> list[str]:
    """Give the targets of the links outside of code blocks."""
    return _LINK.findall(_CODE_BLOCK.sub("", text))


def anchors(text: str) -> set[str]:
    """Give what `#…` may point to: the headings, in the form that GitHub makes of them."""
    headings = _HEADING.findall(_CODE_BLOCK.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code_blocks(text: str, language: str) -> list[str]:
    """Give the contents of the code blocks in a language."""
    return [content for tag, content in _CODE_BLOCK.findall(text) if tag == language]


def _tables(text: str) -> list[tuple[list[str], list[Row]]]:
    tables: list[tuple[list[str], list[Row]]] = []
    lines = _CODE_BLOCK.sub("", text).splitlines()
    position = 0
    while position + 1 < len(lines):
        if lines[position].startswith("|") and re.fullmatch(r"\|(?:-+\|)+", lines[position + 1]):
            heads = _cells(lines[position])
            rows = []
            position += 2
            while position < len(lines) and lines[position].startswith("|"):
                rows.append(dict(zip(heads, _cells(lines[position]), strict=True)))
                position += 1
            tables.append((heads, rows))
        position += 1
    return tables


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
