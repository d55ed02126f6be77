"""`hold`, `release` and `set`: when jobs start that have not begun. All of the jobs of one call or none of them."""

from __future__ import annotations

from typing import Annotated

import typer

from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.jobs import ChangedJobs
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.errors import UsageError

_HAS_BEGUN = {8: "a job runs or has ended; nothing was changed"}

NewPriority = Annotated[int | None, typer.Option("--priority", metavar="N", help="Higher ones run first.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog=epilog("aerjob hold 3f2a", 3, own=_HAS_BEGUN))(hold)
    app.command(epilog=epilog("aerjob release 3f2a", 3, own=_HAS_BEGUN))(release)
    app.command("set", epilog=epilog("aerjob set 3f2a --priority 10", 3, 6, own=_HAS_BEGUN))(change)


def hold(context: typer.Context, job_ids: parameters.JobIds, as_json: parameters.AsJson = False) -> Answer:
    """Keep jobs from starting until they are released.

    Their circuits are checked all the same. A job that runs is not held; `aerjob cancel` ends it.
    """
    client = Invocation.of(context, as_json=as_json).client
    return ChangedJobs(jobs=tuple(client.hold(client.resolve(job_ids))))


def release(context: typer.Context, job_ids: parameters.JobIds, as_json: parameters.AsJson = False) -> Answer:
    """Let jobs start that were held.

    What else they wait for, other jobs or a time, they go on waiting for.
    """
    client = Invocation.of(context, as_json=as_json).client
    return ChangedJobs(jobs=tuple(client.release(client.resolve(job_ids))))


def change(
    context: typer.Context,
    job_ids: parameters.JobIds,
    priority: NewPriority = None,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Change the place of jobs in the queue.

    Higher priorities run first; jobs of the same run in the order in which they were submitted.
    """
    if priority is None:
        raise UsageError("say what to change, with --priority")
    client = Invocation.of(context, as_json=as_json).client
    return ChangedJobs(jobs=tuple(client.set_priority(client.resolve(job_ids), priority)))
