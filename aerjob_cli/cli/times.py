"""Points in time as people write them, and how long ago they were."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from aerjob_cli.cli.durations import parse_duration
from aerjob_cli.errors import InvalidBegin, InvalidDuration, InvalidTime

_US_PER_S = 1_000_000
_DAYS_BACK = {"today": 0, "yesterday": 1}
_DAYS_AHEAD = {"today": 0, "tomorrow": 1}
_AGES_S = (("d", 86400), ("h", 3600), ("m", 60))


def parse_time(text: str) -> int:
    """Give the microseconds since 1970 of a date, a time, ``today``, ``yesterday``, or of an age such as ``2h``.

    Dates and times are ISO 8601; without a zone they are local. A date is its first moment. Raises ``InvalidTime``.
    """
    wanted = text.strip()
    now = datetime.now().astimezone()
    if wanted.lower() in _DAYS_BACK:
        day = now.date() - timedelta(days=_DAYS_BACK[wanted.lower()])
        return _us(datetime(day.year, day.month, day.day).astimezone())
    # A number alone may be a year or a day, and is no age.
    if not re.fullmatch(r"[\d.]*", wanted):
        try:
            return parse_age(wanted)
        except InvalidDuration:
            pass
    try:
        return _us(datetime.fromisoformat(wanted).astimezone())
    except (ValueError, OverflowError):  # a year that the local clock does not know
        raise InvalidTime(text) from None


def parse_age(text: str) -> int:
    """Give the microseconds since 1970 of the moment that was so long ago; raises ``InvalidDuration``."""
    return max(0, _us(datetime.now().astimezone()) - round(parse_duration(text) * _US_PER_S))


def parse_begin(text: str) -> int:
    """Give the microseconds since 1970 of a date, a time, ``today``, ``tomorrow``, or of a time to come as ``+2h``.

    Raises ``InvalidBegin``, also for ``2h``, which elsewhere is two hours ago.
    """
    wanted = text.strip()
    now = datetime.now().astimezone()
    try:
        if wanted.startswith("+"):
            return _us(now) + round(parse_duration(wanted[1:]) * _US_PER_S)
        if wanted.lower() in _DAYS_AHEAD:
            day = now.date() + timedelta(days=_DAYS_AHEAD[wanted.lower()])
            return _us(datetime(day.year, day.month, day.day).astimezone())
        return _us(datetime.fromisoformat(wanted).astimezone())
    except (InvalidDuration, ValueError, OverflowError):
        raise InvalidBegin(text) from None


def show_age(then_us: int, now_us: int) -> str:
    """Write how long ago something was, in few characters: ``3m ago``."""
    seconds = max(0, now_us - then_us) // _US_PER_S
    for unit, size_s in _AGES_S:
        if seconds >= size_s:
            return f"{seconds // size_s}{unit} ago"
    return f"{seconds}s ago"


def _us(time: datetime) -> int:
    return round(time.timestamp() * _US_PER_S)
