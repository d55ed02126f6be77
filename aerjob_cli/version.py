"""The version of aerjob, in the one place that the build, the worker and `--version` read it from."""

from __future__ import annotations

__version__ = "0.1.0"


def is_older(version: str, than: str) -> bool:
    """Compare two versions by their numbers (``1.10`` is later than ``1.9``)."""
    return _numbers(version) < _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    # Only few need it, and this module is everybody's.
    import re

    return tuple(map(int, re.findall(r"\d+", version)))
