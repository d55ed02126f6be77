"""The options of the commands that take a result somewhere."""

from __future__ import annotations

from typing import Annotated

import typer

from aerjob_cli.cli import parameters

Force = Annotated[bool, typer.Option("--force", help="Replace the file if it is there already.")]
Top = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Only the N most frequent outcomes, or the N largest elements.")
]
ArrayName = Annotated[
    str | None,
    typer.Option("--array", parser=parameters.text, metavar="NAME", help="This array, where there are several."),
]
Partial = Annotated[
    bool, typer.Option("--partial", help="Take what is stored so far, also of a job that failed or was cancelled.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until the job has ended.")]
