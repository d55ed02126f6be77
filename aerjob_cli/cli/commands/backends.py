"""`backends`: which simulators there are, what they give, and how far they reach on this machine."""

from __future__ import annotations

import typer

from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.backends import Backends, Reach
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.memory import usable_memory_mb
from aerjob_cli.plugins.discovery import plugins, usable_simulators


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob backends"))(backends)


def backends(context: typer.Context, as_json: parameters.AsJson = False) -> Answer:
    """List the simulators, their methods and how many qubits they take.

    That number is what fits into the memory of this machine. Other packages can bring simulators; one that cannot be
    used is told of on stderr.
    """
    settings = Invocation.of(context, as_json=as_json).settings
    memory_mb = usable_memory_mb()
    found = plugins()
    left_out = tuple(plugin for plugin in found if not plugin.is_usable)
    return Backends(
        default=settings.backend,
        memory_mb=memory_mb,
        reaches=tuple(Reach.of(simulator, memory_mb) for simulator in usable_simulators(found)),
        left_out=left_out,
        remarks=tuple(map(str, left_out)),
    )
