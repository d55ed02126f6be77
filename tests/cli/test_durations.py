from __future__ import annotations

import pytest

from aerjob_cli.cli.durations import parse_duration, show_duration
from aerjob_cli.errors import InvalidDuration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("1m30s", 90.0),
        ("2h", 7200.0),
        ("500ms", 0.5),
        ("1d2h3m4s5ms", 93784.005),
        ("1H", 3600.0),
        (" 10s ", 10.0),
    ],
)
def test_durations_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", " ", "s", "-1", "1x", "1s1m", "1m 30s", "inf", "nan", "1e9", "٣", "9" * 400, "1.", ".5", "1_000"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidDuration):
        parse_duration(text)


@pytest.mark.parametrize(("seconds", "text"), [(0.5, "0.5s"), (30, "30s"), (90, "1m30s"), (7200, "2h"), (3601, "1h1s")])
def test_durations_are_shown_as_they_are_written(seconds: float, text: str) -> None:
    assert show_duration(seconds) == text
