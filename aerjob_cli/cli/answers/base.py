"""What every command answers: something frozen, with a JSON form and lines of plain text. Nothing is printed here.

The keys of the JSON forms are a contract (docs/json.md): times are ISO 8601 in UTC, durations seconds. Plain text is
for pipes and files: a record a line, columns separated by tabs, no headings, nothing that acts on a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from aerjob_cli.errors import AerjobError
from aerjob_cli.frozen import dataclass

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Any answer. ``remarks`` are sentences beside it; ``error`` says why not all of it is as was asked.

    ``screen`` names the module of ``cli.screens`` that lays it out on a terminal; without one its lines are printed.
    ``is_one_of_many`` says that others may follow it, so that its JSON form is one value of several.
    """

    screen: ClassVar[str | None] = None
    is_one_of_many: ClassVar[bool] = False

    remarks: tuple[str, ...] = ()
    error: AerjobError | None = None
    exit_code: int = 0

    def content(self) -> dict[str, Any]:
        """Give the JSON form, without the schema's version and the error."""
        return {}

    def lines(self) -> Iterator[str]:
        """Give the plain text, clean."""
        yield from ()

    def essence(self) -> tuple[str, ...]:
        """Give the sentences that a person needs even when the answer could not be written."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Note(Answer):
    """Remarks beside an answer that comes before or after; it has no JSON form."""

    is_one_of_many: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Document(Answer):
    """Bytes in a form of their own, or a part of them; they go to stdout as they are, except to a terminal.

    A part ends with a line, so that what cannot act on a terminal can be told by each part alone.
    """

    data: bytes


@dataclass(frozen=True, kw_only=True)
class Version(Answer):
    """The version of aerjob."""

    version: str

    def content(self) -> dict[str, Any]:
        return {"version": self.version}

    def lines(self) -> Iterator[str]:
        yield f"aerjob {self.version}"


def answer_json(answer: Answer) -> dict[str, Any]:
    """Give the one JSON value of an answer."""
    error = {} if answer.error is None else {"error": _error_content(answer.error)}
    return {"schema_version": SCHEMA_VERSION} | error | answer.content()


def error_json(error: AerjobError) -> dict[str, Any]:
    """Give the one JSON value of a command that has no answer."""
    return {"schema_version": SCHEMA_VERSION, "error": _error_content(error)}


def time_json(time: datetime | None) -> str | None:
    """Write an aware time in UTC as ``2026-01-31T12:00:00.000000Z``."""
    return None if time is None else time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def show_time(time: datetime) -> str:
    """Write an aware time in UTC for a person, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _error_content(error: AerjobError) -> dict[str, Any]:
    return {**error.fields, "code": error.code, "message": error.message}
