"""Asking before something is done with all jobs of a kind, whose number nobody has seen yet."""

from __future__ import annotations

import sys

from aerjob_cli.api.matched import Matched, Meant
from aerjob_cli.cli import interrupts, streams
from aerjob_cli.cli.plurals import count_of
from aerjob_cli.errors import NotConfirmed, UsageError

_YES = ("y", "yes")


def confirm(question: str, meant: Meant, *, yes: bool, is_required: bool = False) -> None:
    """Ask on the terminal whether ``question`` (with ``{}`` for how many jobs) is what is wanted, unless ``yes``.

    Jobs that were named are no question, nor is there one where nobody can answer. Where it ``is_required``, that is
    refused. Raises ``NotConfirmed`` or ``UsageError``; nothing has been done then.
    """
    if yes or not isinstance(meant, Matched):
        return
    asked = question.format(count_of(len(meant.seqs), "job"))
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        if is_required:
            raise UsageError(
                f"to {asked} takes a yes, and there is no terminal to ask on; give --yes, or --dry-run to see which"
            )
        return
    streams.to_stderr(f"{asked}? [y/N] ")
    try:
        answer = sys.stdin.readline()
    except interrupts.Interrupted:
        streams.to_stderr("\n")
        raise
    if not answer.endswith("\n"):
        streams.to_stderr("\n")
    if answer.strip().lower() not in _YES:
        raise NotConfirmed(asked)
