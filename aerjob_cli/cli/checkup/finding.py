"""One thing that was looked at: how it is, and what to do where it is not well."""

from __future__ import annotations

from enum import StrEnum

from aerjob_cli.frozen import dataclass


class Part(StrEnum):
    """Where it is."""

    STORE = "store"  # or the place that the store is in
    PROGRAM = "program"  # or a package, or a process


class State(StrEnum):
    """How it is."""

    GOOD = "ok"
    NOTE = "note"  # works, and is good to know
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence on one subject; ``remedy`` says what to do, and ``part`` where it is that something is wrong."""

    subject: str
    state: State
    fact: str
    remedy: str | None = None
    part: Part | None = None


def good(subject: str, fact: str) -> Finding:
    return Finding(subject, State.GOOD, fact)


def note(subject: str, fact: str, remedy: str | None = None) -> Finding:
    return Finding(subject, State.NOTE, fact, remedy)


def wrong(subject: str, fact: str, remedy: str | None, part: Part) -> Finding:
    return Finding(subject, State.WRONG, fact, remedy, part)
