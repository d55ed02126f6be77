"""What the exit codes mean, for the help of each command (docs/exit-codes.md has them all)."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

_MEANINGS = {
    0: "done as asked",
    1: "a job ended in ERROR (of several: any ERROR is 1, else any CANCELLED is 4)",
    2: "usage",
    3: "no such job, or none of a kind",
    4: "a job ended CANCELLED",
    5: "the store is unusable; nothing was changed",
    6: "the input was refused; it will not run",
    8: "the job has not finished yet",
    70: "a bug in aerjob, or no worker could be started",
    124: "the timeout ran out; the jobs go on",
}
_OF_ALL_COMMANDS = (0, 2, 5)
# What is left of 80 columns beside the margins of a help text.
_WIDTH = 76


def epilog(example: str, *codes: int, own: Mapping[int, str] | None = None) -> str:
    """Make the end of a command's help: an example, and the exit codes it has beside those of all commands.

    ``own`` are codes that mean something else here than elsewhere.
    """
    meanings = {code: _MEANINGS[code] for code in (*_OF_ALL_COMMANDS, *codes)} | dict(own or {})
    listing = "\n".join(_line(code, meanings[code]) for code in sorted(meanings))
    # \b keeps the lines of a paragraph as they are.
    return f"\b\nExample:\n  {example}\n\n\b\nExit codes:\n{listing}"


def _line(code: int, meaning: str) -> str:
    return textwrap.fill(meaning, width=_WIDTH, initial_indent=f"  {code:<4} ", subsequent_indent=" " * 7)
