"""What one invocation of the command line works with: settings, a client, and where its answer goes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from aerjob_cli.cli import streams
from aerjob_cli.errors import AerjobError, OutputLost, UsageError
from aerjob_cli.settings import Settings

if TYPE_CHECKING:
    import typer

    from aerjob_cli.api.client import Client
    from aerjob_cli.cli.answers.base import Answer
    from aerjob_cli.store.database import Store


class Invocation:
    """One run of the command line. ``json`` is a guess from the arguments until the command has been parsed."""

    def __init__(self, arguments: tuple[str, ...]) -> None:
        self.arguments = arguments
        self.json = _asks_for_json(arguments) or os.environ.get("AERJOB_OUTPUT") == "json"
        self._client: Client | None = None
        self._is_answered = False

    @cached_property
    def settings(self) -> Settings:
        """What the environment says; raises ``UsageError``."""
        return Settings.from_environment()

    @property
    def home(self) -> Path | None:
        """Where the store is, or None when even that cannot be told."""
        try:
            return self.settings.paths.home
        except UsageError:
            return None

    @property
    def debug(self) -> bool:
        """Tell whether tracebacks are wanted."""
        try:
            return self.settings.debug
        except UsageError:
            return False

    @property
    def is_for_person(self) -> bool:
        """Tell whether a person at a terminal reads the answer."""
        return not self.json and streams.is_terminal()

    @property
    def client(self) -> Client:
        """The client, which opens the store (and makes it where there is none) when first asked for."""
        if self._client is None:
            from aerjob_cli.api.client import Client

            self._client = Client(self.settings)
        return self._client

    @property
    def store(self) -> Store:
        """The open store."""
        return self.client.store

    @classmethod
    def of(cls, context: typer.Context, *, as_json: bool = False) -> Invocation:
        """Give the invocation that a command belongs to; its flag settles the form of the answer."""
        invocation = context.find_object(cls)
        if invocation is None:
            raise TypeError("a command was called without an invocation")
        invocation.json = as_json or invocation.settings.output == "json"
        return invocation

    def show(self, answer: Answer) -> None:
        """Print an answer: what was asked for on stdout, remarks on stderr. Raises ``OutputLost``."""
        from aerjob_cli.cli.render import print_answer

        # Before anything is printed: a signal in the middle of it must not add another value.
        self._is_answered = self._is_answered or not answer.is_one_of_many
        print_answer(answer, as_json=self.json)

    def tell(self, error: AerjobError) -> None:
        """Print an error that ended the command, on stderr where stdout has its one value or takes nothing."""
        from aerjob_cli.cli.render import print_error

        try:
            print_error(error, as_json=self.json and not (self._is_answered or streams.is_lost()))
        except OutputLost:
            print_error(error, as_json=False)

    def close(self) -> None:
        """Close the store if it was opened."""
        if self._client is not None:
            self._client.close()


def _asks_for_json(arguments: Iterable[str]) -> bool:
    before = ""
    for argument in arguments:
        if argument == "--":
            return False
        if argument in ("--json", "--format=json") or (before, argument) == ("--format", "json"):
            return True
        before = argument
    return False
