"""Times and sizes as one reads them at a glance, in few characters."""

from __future__ import annotations

_KIB = 2**10
_UNITS = ("KiB", "MiB", "GiB", "TiB")


def clock_text(duration_s: float) -> str:
    """Write seconds as ``0:12``, ``1:02:03`` or ``2d 03:04``."""
    minutes, seconds = divmod(max(0, int(duration_s)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours:02}:{minutes:02}"
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def size_text(size_bytes: float) -> str:
    """Write bytes as ``512 MiB`` or ``1.5 GiB``: three digits at most, below 1000 TiB."""
    amount = size_bytes / _KIB
    unit = _UNITS[0]
    for larger in _UNITS[1:]:
        if amount < 999.5:
            break
        amount, unit = amount / _KIB, larger
    return f"{amount:.0f} {unit}" if amount >= 9.95 or unit == _UNITS[0] else f"{amount:.1f} {unit}"


def rate_text(per_s: float) -> str:
    """Write a rate with two or three digits, so that slow ones can be told from none."""
    if per_s >= 9.95 or per_s == 0:
        return f"{per_s:.0f}"
    return f"{per_s:.1f}" if per_s >= 0.95 else f"{per_s:.2f}"
