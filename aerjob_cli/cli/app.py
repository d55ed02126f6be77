"""The root of the command line: which commands there are, and from arguments to answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Annotated

import typer

from aerjob_cli.cli.answers.base import Answer, Version
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.errors import UsageError
from aerjob_cli.version import __version__

_HOMES = {
    "submit": "submit",
    "run": "run",
    "wait": "wait",
    "status": "jobs",
    "list": "jobs",
    "cancel": "jobs",
    "result": "results",
    "worker": "worker",
}


def answers(invocation: Invocation) -> Iterator[Answer]:
    """Do what the arguments say and give each answer as soon as it is known.

    Raises ``AerjobError``; what the parser finds wrong is a ``UsageError``.
    """
    try:
        outcome = typer.main.get_command(_root(invocation.arguments)).main(
            args=list(invocation.arguments), prog_name="aerjob", standalone_mode=False, obj=invocation
        )
    except typer.TyperException as error:
        raise _usage_error(error) from error
    except SystemExit:
        # The reader of a help text has left.
        return
    if isinstance(outcome, Answer):
        yield outcome
    elif isinstance(outcome, Iterator):
        yield from outcome


def _root(arguments: Sequence[str]) -> typer.Typer:
    # Without Rich's help texts, which cost more than most commands.
    root = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    root.callback(epilog=epilog("aerjob submit bell.qasm"))(_begin)
    for module in _modules(arguments):
        import_module(f"aerjob_cli.cli.commands.{module}").register(root)
    return root


def _modules(arguments: Sequence[str]) -> Sequence[str]:
    """Give the module of the command that is asked for, or all: looking at twenty options takes 20 ms."""
    verb = next((argument for argument in arguments if not argument.startswith("-")), None)
    return [_HOMES[verb]] if verb in _HOMES else list(dict.fromkeys(_HOMES.values()))


def _show_version(context: typer.Context, value: bool) -> None:
    if value:
        Invocation.of(context).show(Version(version=__version__))
        raise typer.Exit


def _begin(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version.")
    ] = False,
) -> None:
    """Durable quantum-circuit jobs on this machine: submit, go away, come back for the result."""


def _usage_error(error: typer.TyperException) -> UsageError:
    context = getattr(error, "ctx", None)
    path = "aerjob" if context is None else context.command_path
    return UsageError(f"{error.format_message().rstrip('.')}; see `{path} --help`")
