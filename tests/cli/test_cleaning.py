from __future__ import annotations

import pytest

from aerjob_cli.cli.cleaning import clean


@pytest.mark.parametrize("text", ["bell", "Überlagerung", "量子", "a b", "é", "🐈"])
def test_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("a\x00\x07\x7f\x9bb", "ab"),
        ("abc\u202edef\u2066", "abcdef"),
        ("a\u200b\u200d\ufeff\u2060\u00ad\u034f\ufe0fb", "ab"),
        ("one\ntwo\r\n\tthree\u2028four", "one two   three four"),
        ("\udcff", ""),
    ],
)
def test_what_acts_on_a_terminal_is_removed(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned
