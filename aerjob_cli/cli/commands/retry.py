"""`retry`: jobs that have ended, once more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import typer

from aerjob_cli.api.changes import new_id
from aerjob_cli.api.client import Client
from aerjob_cli.api.matched import Matched, Meant
from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.jobs import Rehearsed, Retried
from aerjob_cli.cli.confirmation import confirm
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.part_by_part import change
from aerjob_cli.cli.selection import SelectionWithReason, takes_selection_with_reason
from aerjob_cli.errors import UsageError
from aerjob_cli.states import FINAL, Part, Status
from aerjob_cli.store.records import JobRecord

_DIFFERS = {1: "with --verify: a result differs"}
_DEED = "tried again"

Verify = Annotated[
    bool, typer.Option("--verify", help="Wait for the end, and say whether the results are identical or what differs.")
]
Failed = Annotated[bool, typer.Option("--failed", help="Of a group, or of what else is said: those in ERROR.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob retry --reason timed_out --since yesterday", 1, 3, 4, 8, 70, 124, own=_DIFFERS))(
        retry
    )


@takes_selection_with_reason
def retry(
    context: typer.Context,
    selection: SelectionWithReason,
    failed: Failed = False,
    verify: Verify = False,
    timeout: parameters.Timeout = None,
    quiet: parameters.Quiet = False,
    dry_run: parameters.DryRun = False,
    yes: parameters.Yes = False,
    as_json: parameters.AsJson = False,
) -> Answer | Iterator[Answer]:
    """Submit jobs that have ended once more, and print the new ids.

    Circuits, options, seed, limits, name, tags and group are those of the first time. All jobs are taken in, or none of
    them; of more than 2000 that have something in common, 500 at a time. A job that validation refused is validated
    again; `status` has the verdict.

    Of jobs that have something in common, those are meant that have ended and have not been tried again yet, so that
    the same command can be given again. On a terminal their number is to be confirmed, and stderr says which new job is
    of which.

    With --verify the results are compared, to the bit, when the new jobs have ended. On a terminal a line on stderr
    shows meanwhile how far they are.
    """
    if not verify and (timeout is not None or quiet):
        raise UsageError("--timeout and --quiet are about waiting for the end; give --verify with them")
    if failed:
        selection = _failed_of(selection)
    invocation = Invocation.of(context, as_json=as_json)
    client = invocation.client
    # There is nothing to compare the results of cancelled jobs with.
    among = FINAL - {Status.CANCELLED} if verify else FINAL
    meant = selection.meant(client, among=among, not_retried=not verify, parts=(Part.CIRCUITS,))
    if dry_run:
        jobs = client.require_final(meant, _DEED)
        return Rehearsed(
            jobs=tuple(jobs),
            now_us=client.store.now_us(),
            short_ids=client.short_ids(jobs) if invocation.is_for_person else {},
        )
    confirm("try {} again", meant, yes=yes)
    if verify:
        # Light without it.
        from aerjob_cli.cli.verifying import verify as verified

        return verified(client, client.latest(meant), timeout_s=timeout, quiet=quiet)
    trial = _Trial(client)
    made = change(meant, trial.submit, told=_DEED, look_again=trial.look_again)
    told = (f"job {job.job_id} is job {job.retry_of} once more" for job in made.done if isinstance(meant, Matched))
    answer = Retried(jobs=tuple(made.done), remarks=tuple(told))
    return made.told_by(answer)


def _failed_of(selection: SelectionWithReason) -> SelectionWithReason:
    if selection.wanted is None or selection.status:
        raise UsageError("--failed picks the jobs in ERROR of those that are meant; give it with --group, not with ids")
    return replace(selection, status=[Status.ERROR])


class _Trial:
    """New jobs of old ones; their ids are known before anything is stored."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._unknown: list[str] = []

    def submit(self, part: Meant) -> list[JobRecord]:
        """Make them, all or none."""
        made = self._client.retry(part, make_id=self._new_id)
        self._unknown.clear()
        return made

    def look_again(self) -> list[JobRecord]:
        """Give those that were stored and not told of; raises ``JobNotFound`` where there are none."""
        return self._client.resolve(self._unknown)

    def _new_id(self) -> str:
        self._unknown.append(new_id())
        return self._unknown[-1]
