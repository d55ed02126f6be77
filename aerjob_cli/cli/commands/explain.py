"""`explain`: why a job is not running yet."""

from __future__ import annotations

import typer

from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.explain import Explained
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob explain last", 3))(explain)


def explain(context: typer.Context, job_ids: parameters.JobIds, as_json: parameters.AsJson = False) -> Answer:
    """Say in a sentence why jobs are not running yet."""
    client = Invocation.of(context, as_json=as_json).client
    return Explained(explanations=tuple(client.explain(job_ids)))
