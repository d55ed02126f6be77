"""The root of the command line: which commands there are, and from arguments to answers."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from importlib import import_module
from typing import Annotated

import typer
from typer.core import TyperGroup

from aerjob_cli.cli import streams
from aerjob_cli.cli.answers.base import Answer, Version
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.overview import WHERE_TO_READ_ON, Root
from aerjob_cli.errors import UsageError
from aerjob_cli.version import __version__

_HOMES = {
    "submit": "submit",
    "run": "run",
    "wait": "wait",
    "watch": "watch",
    "top": "watch",
    "status": "jobs",
    "list": "jobs",
    "show": "show",
    "cancel": "cancel",
    "retry": "retry",
    "hold": "queue",
    "release": "queue",
    "set": "queue",
    "rm": "changes",
    "tag": "changes",
    "export": "moving",
    "import": "moving",
    "result": "results",
    "plot": "plot",
    "estimate": "estimate",
    "explain": "explain",
    "events": "events",
    "backends": "backends",
    "version": "version",
    "worker": "worker",
    "store": "store",
    "doctor": "doctor",
    "completion": "completion",
    "schema": "schema",
}


def answers(invocation: Invocation) -> Iterator[Answer]:
    """Do what the arguments say and give each answer as soon as it is known.

    Raises ``AerjobError``; what the parser finds wrong is a ``UsageError``.
    """
    # The parser prints help texts by itself, and knows neither full disks nor readers who have left.
    with contextlib.redirect_stdout(io.StringIO()) if _asks_for_help(invocation.arguments) else nullcontext() as helped:
        try:
            outcome = command_tree(_modules(invocation.arguments)).main(
                args=list(invocation.arguments), prog_name="aerjob", standalone_mode=False, obj=invocation
            )
        except typer.TyperException as error:
            raise _usage_error(error) from error
    if helped is not None:
        streams.to_stdout(helped.getvalue())
    if isinstance(outcome, Answer):
        yield outcome
    elif isinstance(outcome, Iterator):
        yield from outcome


def command_tree(modules: Iterable[str] | None = None) -> TyperGroup:
    """Build the commands of these modules of ``cli.commands``, or all commands."""
    # Without Rich's help texts, which cost more than most commands.
    root = typer.Typer(cls=Root, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    root.callback(epilog=f"{epilog('aerjob submit bell.qasm')}\n\n{WHERE_TO_READ_ON}")(_begin)
    for module in _all_modules() if modules is None else modules:
        import_module(f"aerjob_cli.cli.commands.{module}").register(root)
    return typer.main.get_group(root)


def module_of(verb: str) -> str | None:
    """Name the module of ``cli.commands`` that has a verb, or give None where there is no such verb."""
    return _HOMES.get(verb)


def _modules(arguments: Sequence[str]) -> Sequence[str]:
    """Give the module of the command that is asked for: importing them all takes longer than most commands."""
    verb = next((argument for argument in arguments if not argument.startswith("-")), None)
    if verb is None:
        # What the root says of them needs none of them.
        return []
    # All of them know best what somebody may have meant by another word.
    return [_HOMES[verb]] if verb in _HOMES else _all_modules()


def _all_modules() -> Sequence[str]:
    return list(dict.fromkeys(_HOMES.values()))


def _asks_for_help(arguments: Sequence[str]) -> bool:
    return "--help" in itertools.takewhile(lambda argument: argument != "--", arguments)


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
