"""Numbers of things in sentences."""

from __future__ import annotations


def count_of(number: int, noun: str) -> str:
    """Write ``1 file``, ``0 files``, ``2 files``."""
    return f"{number} {noun if number == 1 else f'{noun}s'}"
