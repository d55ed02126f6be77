"""Amounts of memory as people write them."""

from __future__ import annotations

import pytest

from aerjob_cli.cli.sizes import parse_size_mb, show_size
from aerjob_cli.errors import InvalidSize


@pytest.mark.parametrize(
    ("text", "size_mb"),
    [("512", 512), ("512MiB", 512), ("4G", 4096), ("1.5 gib", 1536), ("2048k", 2), ("1tb", 1024**2), ("0", 0)],
)
def test_amounts(text: str, size_mb: int) -> None:
    assert parse_size_mb(text) == size_mb


@pytest.mark.parametrize("text", ["", "G", "-1", "1e3", "4 GiBs", "1k", "١"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(InvalidSize):
        parse_size_mb(text)


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "0.977 KiB"), (2**20, "1 MiB"), (3 * 2**29, "1.5 GiB"), (2**30 - 1, "1 GiB")],
)
def test_shown(size_bytes: int, text: str) -> None:
    assert show_size(size_bytes) == text
