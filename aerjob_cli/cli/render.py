"""The one renderer: an answer as JSON, as plain text, or with Rich on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from aerjob_cli.cli import streams
from aerjob_cli.cli.answers.base import Answer, Document, Note, answer_json, error_json
from aerjob_cli.cli.cleaning import clean, clean_lines
from aerjob_cli.errors import AerjobError, OutputLost, SubmissionRefused


def print_answer(answer: Answer, *, as_json: bool) -> None:
    """Print an answer on stdout and its remarks on stderr; raises ``OutputLost``."""
    try:
        _print(answer, as_json=as_json)
    except OutputLost:
        _print_remarks((*answer.essence(), *answer.remarks))
        raise
    _print_remarks(answer.remarks)
    # Refused circuits are remarked on one by one.
    if answer.error is not None and not as_json and not isinstance(answer.error, SubmissionRefused):
        print_error(answer.error, as_json=False)


def _print(answer: Answer, *, as_json: bool) -> None:
    if isinstance(answer, Document):
        if streams.is_terminal():
            streams.to_stdout(clean_lines(answer.data.decode("utf-8", errors="replace")))
        else:
            streams.bytes_to_stdout(answer.data)
    elif as_json:
        if not isinstance(answer, Note):
            streams.to_stdout(as_text(answer, as_json=True))
    elif streams.is_terminal():
        # Rich costs 20 ms, and only here somebody sees it.
        from aerjob_cli.cli.terminal import print_for_person

        print_for_person(answer)
    else:
        streams.to_stdout(as_text(answer, as_json=False))


def _print_remarks(remarks: Iterable[str]) -> None:
    for remark in remarks:
        streams.to_stderr(f"{clean(remark)}\n")


def as_text(answer: Answer, *, as_json: bool) -> str:
    """Write an answer for a pipe or a file: as one JSON value, or as plain lines."""
    return _json_text(answer_json(answer)) if as_json else "".join(f"{line}\n" for line in answer.lines())


def print_error(error: AerjobError, *, as_json: bool) -> None:
    """Print an error: JSON on stdout, or one line on stderr."""
    if as_json:
        streams.to_stdout(_json_text(error_json(error)))
    else:
        streams.to_stderr(f"aerjob: {clean(error.message)}\n")


def _json_text(value: dict[str, Any]) -> str:
    # ASCII only: no character of a name can act on a terminal.
    return json.dumps(value, default=str) + "\n"
