"""What the completion scripts of the shells (``completions/``) hand over, and the lines that they read.

The first line says what follows: ``words`` is a candidate a line, ``open`` are candidates that go on (``KEY=``), and
with ``files`` the shell completes names of files by itself.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path

from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.completion_sources import Found

Complete = Callable[[Sequence[str]], Found]


class Shell(StrEnum):
    """The shells that there is a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


# Bash begins a new word after each of these ($COMP_WORDBREAKS), where the program sees one word.
_BREAKS = re.compile(r"[=:@]+")
_NEEDS_NO_ESCAPE = re.compile(r"[^\w@%+=:,./-]")


def script(shell: Shell) -> str:
    """Give the script that a shell has to load."""
    return (Path(__file__).parent / "completions" / f"aerjob.{shell}").read_text(encoding="utf-8")


def for_bash(words: Sequence[str], complete: Complete) -> str:
    """Answer bash, whose words are as they were typed and broken at ``=`` and ``:``; it replaces the last part only."""
    joined = _joined(words)
    incomplete = _unquoted(joined[-1]) if joined else ""
    last = words[-1] if words else ""
    typed = "" if _BREAKS.fullmatch(last) else _unquoted(last)
    kept = len(incomplete) - len(typed)
    found = complete([*map(_unquoted, joined[:-1]), incomplete])
    values = [candidate.value[kept:] for candidate in found.candidates]
    if not last.startswith(("'", '"')):
        values = [_NEEDS_NO_ESCAPE.sub(r"\\\g<0>", value) for value in values]
    return _lines(found, values)


def for_others(words: Sequence[str], complete: Complete) -> str:
    """Answer zsh and fish, which take a description after a tab."""
    found = complete(words)
    return _lines(found, [f"{item.value}\t{clean(item.description)}".rstrip("\t") for item in found.candidates])


FORMS: dict[str, Callable[[Sequence[str], Complete], str]] = {
    Shell.BASH: for_bash,
    Shell.ZSH: for_others,
    Shell.FISH: for_others,
}


def _lines(found: Found, values: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in (found.kind, *values))


def _joined(words: Sequence[str]) -> list[str]:
    joined: list[str] = []
    goes_on = False
    for word in words:
        is_break = _BREAKS.fullmatch(word) is not None
        if joined and (is_break or goes_on):
            joined[-1] += word
        else:
            joined.append(word)
        goes_on = is_break
    return joined


def _unquoted(word: str) -> str:
    """Take the quoting away; a quotation that is still open ends with the word."""
    for ending in ("", '"', "'", "\\"):
        try:
            return "".join(shlex.split(word + ending))
        except ValueError:
            continue
    return word
