"""Answers the completion scripts of the shells (``completions/``).

They call ``aerjob __complete SHELL WORD…`` with all words after the program's name, the one that is being typed last.
Whatever goes wrong, also with an import, a person who types wants to hear nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence


def answer(arguments: Sequence[str]) -> None:
    """Print what fits, in the form that the script of the shell reads; nothing when that cannot be told."""
    try:
        from aerjob_cli.cli import streams
        from aerjob_cli.cli.completion_shells import FORMS
        from aerjob_cli.cli.completion_words import complete

        streams.repair()
        shell, *words = arguments
        streams.to_stdout(FORMS[shell](words, complete))
    except (Exception, KeyboardInterrupt):  # noqa: BLE001, S110 - the line that is being typed must stay as it is
        pass
