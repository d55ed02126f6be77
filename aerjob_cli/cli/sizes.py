"""Amounts of memory as people write and read them. Units are powers of 1024, as memory is built."""

from __future__ import annotations

import re

from aerjob_cli.errors import InvalidSize

_FACTORS_MB = {"": 1, "k": 1 / 1024, "m": 1, "g": 1024, "t": 1024**2}
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([kmgt]?)(?:i?b)?", re.ASCII)
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def parse_size_mb(text: str) -> int:
    """Give the MiB that ``512``, ``512MiB``, ``4G`` or ``1.5 GiB`` mean; raises ``InvalidSize``."""
    parts = _SIZE.fullmatch(text.strip().lower())
    if parts is None:
        raise InvalidSize(text)
    size_mb = float(parts[1]) * _FACTORS_MB[parts[2]]
    if 0 < size_mb < 1:
        raise InvalidSize(text)
    return int(size_mb)


def show_size(size_bytes: int) -> str:
    """Write bytes as ``512 MiB`` or ``1.5 GiB``, with three digits at most behind which nothing matters."""
    size, unit = float(size_bytes), 0
    while size >= 1000 and unit + 1 < len(_UNITS):
        size, unit = size / 1024, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"
