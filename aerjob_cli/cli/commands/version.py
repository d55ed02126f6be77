"""`version`: the versions that decide what a result is, for a bug report or a notebook."""

from __future__ import annotations

import typer

from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.version import Versions
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob version --json"))(version)


def version(context: typer.Context, as_json: parameters.AsJson = False) -> Answer:
    """Show the versions of aerjob and of what it stands on."""
    Invocation.of(context, as_json=as_json)
    return Versions.of_this_installation()
