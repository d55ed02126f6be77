"""Durations as people write them."""

from __future__ import annotations

import re

from aerjob_cli.errors import InvalidDuration

_UNITS_S = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_NUMBER = r"(\d{1,12}(?:\.\d{1,9})?)"
_PARTS = re.compile("".join(rf"(?:{_NUMBER}{unit})?" for unit in _UNITS_S), re.ASCII)
_SECONDS = re.compile(_NUMBER, re.ASCII)


def parse_duration(text: str) -> float:
    """Give the seconds that ``90``, ``1m30s``, ``2h`` or ``500ms`` mean; raises ``InvalidDuration``."""
    wanted = text.strip().lower()
    if _SECONDS.fullmatch(wanted):
        return float(wanted)
    parts = _PARTS.fullmatch(wanted)
    if parts is None or not wanted:
        raise InvalidDuration(text)
    return sum(float(number) * unit for number, unit in zip(parts.groups("0"), _UNITS_S.values(), strict=True))


def show_duration(duration_s: float) -> str:
    """Write seconds as ``1m30s`` or ``0.5s``."""
    if duration_s < 60:
        return f"{duration_s:g}s"
    parts = []
    left_s = round(duration_s)
    for unit, size_s in (("h", 3600), ("m", 60), ("s", 1)):
        count, left_s = divmod(left_s, size_s)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def show_rounded(duration_s: float) -> str:
    """Write seconds as exactly as somebody wants to know who looks at what still goes on."""
    return show_duration(round(duration_s, 1 if duration_s >= 1 else 3))
