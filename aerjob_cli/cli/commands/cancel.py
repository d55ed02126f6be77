"""`cancel`: ending jobs, wherever they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from aerjob_cli.api.client import CANCEL_TAKES_AT_MOST_S, Client
from aerjob_cli.api.matched import Matched, Meant
from aerjob_cli.cli import interrupts, parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.jobs import CancelledJobs
from aerjob_cli.cli.confirmation import confirm
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.part_by_part import Changes, change
from aerjob_cli.cli.selection import Selection, matching, none_fits, takes_selection
from aerjob_cli.errors import NotFinished, UsageError
from aerjob_cli.states import PENDING, Status
from aerjob_cli.store.listing import JobFilter
from aerjob_cli.store.records import JobRecord

_ENDED_OTHERWISE = (Status.DONE, Status.ERROR)

Word = Annotated[
    str | None, typer.Option("--reason", parser=parameters.text, metavar="TEXT", help="Why; kept with the jobs.")
]
Everything = Annotated[bool, typer.Option("--all", help="All jobs that have not ended.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob cancel 3f2a --reason 'wrong circuit'", 3, 8))(cancel)


@takes_selection
def cancel(
    context: typer.Context,
    selection: Selection,
    everything: Everything = False,
    reason: Word = None,
    dry_run: parameters.DryRun = False,
    yes: parameters.Yes = False,
    as_json: parameters.AsJson = False,
) -> Answer:
    """End jobs, wherever they are. One that has ended already stays as it is, which is no error.

    They are named by their ids, or by what they have in common: then those are meant that have not ended, and on a
    terminal their number is to be confirmed.
    """
    _require_one_way(selection, everything=everything)
    invocation = Invocation.of(context, as_json=as_json)
    client = invocation.client
    meant = _meant(client, selection, everything=everything)
    if dry_run:
        made = Changes([job for job in client.latest(meant) if not job.status.is_final])
    else:
        confirm("cancel {}", meant, yes=yes)
        made = _cancelled(client, meant, reason)
        if isinstance(meant, Matched) and not made.done:
            raise none_fits(PENDING)
    jobs = made.done
    pending = [] if dry_run else [job for job in jobs if not job.status.is_final]
    answer = CancelledJobs(
        jobs=tuple(jobs),
        now_us=client.store.now_us(),
        short_ids=client.short_ids(jobs) if invocation.is_for_person else {},
        dry_run=dry_run,
        remarks=(
            *(f"job {job.job_id} had ended already, {job.status}" for job in jobs if job.status in _ENDED_OTHERWISE),
            *(f"job {job.job_id} will be cancelled as soon as its worker answers" for job in pending),
        ),
        exit_code=NotFinished.exit_code if pending else 0,
    )
    return made.told_by(answer)


def _require_one_way(selection: Selection, *, everything: bool) -> None:
    ways = sum((bool(selection.job_ids), selection.filter != JobFilter(), everything))
    if ways == 0:
        raise UsageError("say which jobs to cancel: by their ids, by an option such as --tag, or with --all")
    if ways > 1:
        raise UsageError("jobs are cancelled by their ids, by options such as --tag, or with --all; give one of these")


def _meant(client: Client, selection: Selection, *, everything: bool) -> Meant:
    return matching(client, JobFilter(), among=PENDING) if everything else selection.meant(client, among=PENDING)


def _reversed(meant: Meant) -> Meant:
    return replace(meant, seqs=meant.seqs[::-1]) if isinstance(meant, Matched) else meant


def _cancelled(client: Client, meant: Meant, reason: str | None) -> Changes[JobRecord]:
    """Ask for the ends of the jobs, and give them as they are when these have come or the time is over."""
    running: list[JobRecord] = []

    def ask(part: Meant) -> list[JobRecord]:
        asked, still_running = client.request_cancels(part, message=reason)
        running.extend(still_running)
        return asked

    # The last submitted first: where they are many, what depends on others is cancelled before these, and not failed.
    made = change(_reversed(meant), ask, told="cancelled")
    if isinstance(meant, Matched):
        made = replace(made, done=sorted(made.done, key=lambda job: job.seq))
    if made.error is not None or not running:
        return made
    ended: dict[int, JobRecord] = {}
    error = None
    try:
        for job in client.wait(running, timeout_s=CANCEL_TAKES_AT_MOST_S):
            ended[job.seq] = job
    except interrupts.Interrupted as interrupt:
        error = interrupt.as_error()
    return Changes([ended.get(job.seq, job) for job in made.done], error)
