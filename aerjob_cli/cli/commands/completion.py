"""`completion`: the script with which a shell completes verbs, options, ids and more."""

from __future__ import annotations

from typing import Annotated

import typer

from aerjob_cli.cli import completion_shells, parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.completion import CompletionScript
from aerjob_cli.cli.completion_shells import Shell
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("source <(aerjob completion bash)"))(completion)


def completion(
    context: typer.Context,
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
    as_json: parameters.AsJson = False,
) -> Answer:
    """Print the script that makes a shell complete aerjob's words.

    bash: source <(aerjob completion bash), for good in ~/.bashrc.

    zsh: aerjob completion zsh > _aerjob, in a folder of $fpath.

    fish: aerjob completion fish > ~/.config/fish/completions/aerjob.fish
    """
    Invocation.of(context, as_json=as_json)
    return CompletionScript(shell=shell, script=completion_shells.script(shell))
