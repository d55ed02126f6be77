"""`schema`: what scripts may rely on in the JSON output."""

from __future__ import annotations

from typing import Annotated

import typer

from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.schema import SchemaDocument
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.schemas import schema_of, whole_schema


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob schema worker status"))(schema)


def schema(
    context: typer.Context,
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", help="Only of this command, such as `worker status`.", show_default=False),
    ] = None,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Print the JSON Schema of what --json prints."""
    Invocation.of(context, as_json=as_json)
    return SchemaDocument(document=schema_of(command) if command else whole_schema())
