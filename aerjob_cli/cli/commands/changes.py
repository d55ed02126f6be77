"""`rm` and `tag`: what is done with jobs that are there, whether they have ended or not."""

from __future__ import annotations

from typing import Annotated

import typer

from aerjob_cli.api.matched import Matched, Meant
from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.jobs import DeletedJobs, Rehearsed, TaggedJobs
from aerjob_cli.cli.confirmation import confirm
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.part_by_part import Changes, change
from aerjob_cli.cli.plurals import count_of
from aerjob_cli.cli.selection import SelectionWithReason, takes_selection_with_reason
from aerjob_cli.errors import UsageError
from aerjob_cli.states import FINAL
from aerjob_cli.store.records import JobRecord

Add = Annotated[
    list[str] | None,
    typer.Option("--add", parser=parameters.text, metavar="TAG", help="A tag to give; may be repeated."),
]
Remove = Annotated[
    list[str] | None,
    typer.Option("--remove", parser=parameters.text, metavar="TAG", help="A tag to take away; may be repeated."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("rm", epilog=epilog("aerjob rm --older-than 30d --status ERROR --dry-run", 3, 8))(remove)
    app.command(epilog=epilog("aerjob tag last --add keep --remove draft", 3, 6))(tag)


@takes_selection_with_reason
def remove(
    context: typer.Context,
    selection: SelectionWithReason,
    dry_run: parameters.DryRun = False,
    yes: parameters.Yes = False,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Delete ended jobs, with their circuits, results and history. All of them go, or none.

    They are named by their ids, or by what they have in common: then those are meant that have ended, and their number
    is to be confirmed, or --yes given where there is no terminal. Of more than 2000 of these, 500 go at a time. Those
    that jobs depend on which have not ended are left.
    """
    invocation = Invocation.of(context, as_json=as_json)
    client = invocation.client
    meant = selection.meant(client, among=FINAL)
    if dry_run:
        return _rehearsed(invocation, client.deletable(meant))
    confirm("delete {}", meant, yes=yes, is_required=True)
    freed_bytes = 0

    def delete(part: Meant) -> list[str]:
        nonlocal freed_bytes
        job_ids, freed = client.delete_all(part)
        freed_bytes += freed
        return job_ids

    made = change(meant, delete, told="deleted")
    answer = DeletedJobs(freed_bytes=freed_bytes, job_ids=tuple(made.done), remarks=_left_alone(meant, made))
    return made.told_by(answer)


def _left_alone(meant: Meant, made: Changes[str]) -> tuple[str, ...]:
    left = len(meant.seqs) - len(made.done) if isinstance(meant, Matched) and made.error is None else 0
    if not left:
        return ()
    return (f"{count_of(left, 'job')} stayed: jobs that have not ended depend on them, or they no longer fit",)


@takes_selection_with_reason
def tag(
    context: typer.Context,
    selection: SelectionWithReason,
    add: Add = None,
    remove: Remove = None,
    dry_run: parameters.DryRun = False,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Give tags to jobs and take them away, also when they have ended.

    The jobs are named by their ids, or by what they have in common.
    """
    added, removed = add or [], remove or []
    if not added and not removed:
        raise UsageError("say which tags to give or to take away, with --add or --remove")
    if both := sorted(set(added) & set(removed)):
        raise UsageError(f"the tag {both[0]!r} cannot be given and taken away at once; leave out one of the two")
    invocation = Invocation.of(context, as_json=as_json)
    client = invocation.client
    meant = selection.meant(client)
    if dry_run:
        return _rehearsed(invocation, client.latest(meant))
    made = change(meant, lambda part: client.tag(part, add=added, remove=removed), told="tagged")
    answer = TaggedJobs(jobs=tuple(made.done))
    return made.told_by(answer)


def _rehearsed(invocation: Invocation, jobs: list[JobRecord]) -> Rehearsed:
    client = invocation.client
    return Rehearsed(
        jobs=tuple(jobs),
        now_us=client.store.now_us(),
        short_ids=client.short_ids(jobs) if invocation.is_for_person else {},
    )
