"""`backends`: which simulators there are, what they give, and how far they reach on this machine."""

from __future__ import annotations

import typer

from aerjob_cli.catalog import SIMULATORS
from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.backends import Backends, Reach
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.memory import usable_memory_mb


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob backends"))(backends)


def backends(context: typer.Context, as_json: parameters.AsJson = False) -> Answer:
    """List the simulators, their methods and how many qubits they take.

    That number is what fits into the memory of this machine.
    """
    settings = Invocation.of(context, as_json=as_json).settings
    memory_mb = usable_memory_mb()
    return Backends(
        default=settings.backend,
        memory_mb=memory_mb,
        reaches=tuple(Reach.of(simulator, memory_mb) for simulator in SIMULATORS.values()),
    )
