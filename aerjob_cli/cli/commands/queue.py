"""`hold`, `release` and `set`: when jobs start that have not begun."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from aerjob_cli.api.matched import Meant
from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.jobs import ChangedJobs, Rehearsed
from aerjob_cli.cli.confirmation import confirm
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.part_by_part import change
from aerjob_cli.cli.selection import Selection, takes_selection
from aerjob_cli.errors import UsageError
from aerjob_cli.states import UNBEGUN
from aerjob_cli.store.records import JobRecord

_HAS_BEGUN = {8: "a job that was named runs or has ended; nothing was changed"}

NewPriority = Annotated[int | None, typer.Option("--priority", metavar="N", help="Higher ones run first.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog=epilog("aerjob hold 3f2a", 3, own=_HAS_BEGUN))(hold)
    app.command(epilog=epilog("aerjob release --group sweep", 3, own=_HAS_BEGUN))(release)
    app.command("set", epilog=epilog("aerjob set 3f2a --priority 10", 3, 6, own=_HAS_BEGUN))(set_)


@takes_selection
def hold(
    context: typer.Context,
    selection: Selection,
    dry_run: parameters.DryRun = False,
    yes: parameters.Yes = False,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Keep jobs from starting until they are released.

    Their circuits are checked all the same. A job that runs is not held; `aerjob cancel` ends it. The jobs are named by
    their ids, or by what they have in common: then those are meant that have not begun.
    """
    invocation = Invocation.of(context, as_json=as_json)
    return _changed(invocation, selection, invocation.client.hold, "hold {}", told="held", dry_run=dry_run, yes=yes)


@takes_selection
def release(
    context: typer.Context,
    selection: Selection,
    dry_run: parameters.DryRun = False,
    yes: parameters.Yes = False,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Let jobs start that were held.

    What else they wait for, other jobs or a time, they go on waiting for. The jobs are named by their ids, or by what
    they have in common: then those are meant that have not begun.
    """
    invocation = Invocation.of(context, as_json=as_json)
    release_all = invocation.client.release
    return _changed(invocation, selection, release_all, "release {}", told="released", dry_run=dry_run, yes=yes)


@takes_selection
def set_(
    context: typer.Context,
    selection: Selection,
    priority: NewPriority = None,
    dry_run: parameters.DryRun = False,
    yes: parameters.Yes = False,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Change the place of jobs in the queue.

    Higher priorities run first; jobs of the same run in the order in which they were submitted. The jobs are named by
    their ids, or by what they have in common: then those are meant that have not begun.
    """
    if priority is None:
        raise UsageError("say what to change, with --priority")
    invocation = Invocation.of(context, as_json=as_json)
    client = invocation.client
    return _changed(
        invocation,
        selection,
        lambda part: client.set_priority(part, priority),
        f"give {{}} the priority {priority}",
        told="changed",
        dry_run=dry_run,
        yes=yes,
    )


def _changed(
    invocation: Invocation,
    selection: Selection,
    deed: Callable[[Meant], Sequence[JobRecord]],
    question: str,
    *,
    told: str,
    dry_run: bool,
    yes: bool,
) -> Answer:
    client = invocation.client
    meant = selection.meant(client, among=frozenset(UNBEGUN))
    if dry_run:
        jobs = client.latest(meant)
        return Rehearsed(
            jobs=tuple(jobs),
            now_us=client.store.now_us(),
            short_ids=client.short_ids(jobs) if invocation.is_for_person else {},
        )
    confirm(question, meant, yes=yes)
    made = change(meant, deed, told=told)
    return made.told_by(ChangedJobs(jobs=tuple(made.done)))
