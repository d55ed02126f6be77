"""`cancel`, `retry`, `rm` and `tag`: what is done with jobs that are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import typer

from aerjob_cli.api.client import Client
from aerjob_cli.cli import filters, parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.jobs import CancelledJobs, DeletedJobs, Retried, TaggedJobs
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.selection import Selection, matching, takes_selection
from aerjob_cli.errors import NotFinished, NothingMatched, UsageError
from aerjob_cli.states import FINAL, PENDING, Status
from aerjob_cli.store.listing import JobFilter
from aerjob_cli.store.records import JobRecord

_ENDED_OTHERWISE = (Status.DONE, Status.ERROR)
_NONE_FITS = "no such job, or none of a kind"
_DIFFERS = "with --verify: a result differs"

Word = Annotated[
    str | None, typer.Option("--reason", parser=parameters.text, metavar="TEXT", help="Why; kept with the jobs.")
]
Everything = Annotated[bool, typer.Option("--all", help="All jobs that have not ended.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only list the jobs that would be cancelled.")]
Verify = Annotated[
    bool, typer.Option("--verify", help="Wait for the end, and say whether the results are identical or what differs.")
]
Failed = Annotated[
    bool, typer.Option("--failed", help="Of the group: those in ERROR that have not been tried again yet.")
]
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
    app.command(epilog=epilog("aerjob cancel 3f2a --reason 'wrong circuit'", 3, 8, own={3: _NONE_FITS}))(cancel)
    app.command(epilog=epilog("aerjob retry 3f2a --verify", 1, 3, 4, 8, 70, 124, own={1: _DIFFERS}))(retry)
    app.command("rm", epilog=epilog("aerjob rm 3f2a", 3, 8))(remove)
    app.command(epilog=epilog("aerjob tag last --add keep --remove draft", 3, 6))(tag)


def cancel(
    context: typer.Context,
    job_ids: parameters.SomeJobIds = None,
    reason: Word = None,
    statuses: filters.Statuses = None,
    tags: filters.Tags = None,
    group: filters.Group = None,
    name: filters.Name = None,
    backend: filters.Backend = None,
    since: filters.Since = None,
    until: filters.Until = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    as_json: parameters.AsJson = False,
) -> Answer:
    """End jobs, wherever they are. One that has ended already stays as it is, which is no error.

    They are named by their ids, or by what they have in common.
    """
    wanted = filters.job_filter(
        statuses=statuses, tags=tags, group=group, name=name, backend=backend, since_us=since, until_us=until
    )
    _require_one_way(has_ids=bool(job_ids), has_filter=wanted != JobFilter(), everything=everything)
    invocation = Invocation.of(context, as_json=as_json)
    client = invocation.client
    named = _each_once(client.resolve(job_ids)) if job_ids else None
    if dry_run:
        jobs = _to_be_cancelled(client, wanted, named)
    else:
        jobs = client.cancel_all(wanted if named is None else named, message=reason)
    if named is None and not jobs:
        if group is not None:
            client.all_that_fit(JobFilter(group=group))  # raises where there is no such group
        raise NothingMatched("no job that has not ended fits; `aerjob list` with the same options shows what does")
    pending = [] if dry_run else [job for job in jobs if not job.status.is_final]
    return CancelledJobs(
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


@takes_selection
def retry(
    context: typer.Context,
    selection: Selection,
    failed: Failed = False,
    verify: Verify = False,
    timeout: parameters.Timeout = None,
    quiet: parameters.Quiet = False,
    as_json: parameters.AsJson = False,
) -> Answer | Iterator[Answer]:
    """Submit jobs that have ended once more, and print the new ids.

    Circuits, options, seed, limits, name, tags and group are those of the first time. All jobs are taken in, or none of
    them. With --group those of it that have ended are meant, and stderr says which new job is of which.
    A job that validation refused is validated again; `status` has the verdict.

    With --verify the results are compared, to the bit, when the new jobs have ended. On a terminal a line on stderr
    shows meanwhile how far they are.
    """
    if not verify and (timeout is not None or quiet):
        raise UsageError("--timeout and --quiet are about waiting for the end; give --verify with them")
    client = Invocation.of(context, as_json=as_json).client
    jobs = _to_be_retried(client, selection, failed=failed)
    if verify:
        # Light without it.
        from aerjob_cli.cli.verifying import verify as verified

        return verified(client, jobs, timeout_s=timeout, quiet=quiet)
    again = client.retry(jobs)
    told = () if selection.job_ids else tuple(f"job {job.job_id} is job {job.retry_of} once more" for job in again)
    return Retried(jobs=tuple(again), remarks=told)


@takes_selection
def remove(context: typer.Context, selection: Selection, as_json: parameters.AsJson = False) -> Answer:
    """Delete ended jobs, with their circuits, results and history. All of them go, or none.

    With --group those of it go that have ended.
    """
    client = Invocation.of(context, as_json=as_json).client
    jobs = selection.jobs(client, among=FINAL)
    return DeletedJobs(freed_bytes=client.delete_all(jobs), job_ids=tuple(job.job_id for job in jobs))


@takes_selection
def tag(
    context: typer.Context,
    selection: Selection,
    add: Add = None,
    remove: Remove = None,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Give tags to jobs and take them away, also when they have ended."""
    added, removed = add or [], remove or []
    if not added and not removed:
        raise UsageError("say which tags to give or to take away, with --add or --remove")
    if both := sorted(set(added) & set(removed)):
        raise UsageError(f"the tag {both[0]!r} cannot be given and taken away at once; leave out one of the two")
    client = Invocation.of(context, as_json=as_json).client
    jobs = selection.jobs(client)
    return TaggedJobs(jobs=tuple(client.tag(jobs, add=added, remove=removed)))


def _to_be_retried(client: Client, selection: Selection, *, failed: bool) -> list[JobRecord]:
    wanted = selection.wanted
    if not failed:
        return selection.jobs(client, among=FINAL)
    if wanted is None:
        raise UsageError("--failed picks the jobs to try again; give it with --group, and no ids")
    return matching(client, replace(wanted, not_retried=True), among=frozenset({Status.ERROR}))


def _require_one_way(*, has_ids: bool, has_filter: bool, everything: bool) -> None:
    ways = sum((has_ids, has_filter, everything))
    if ways == 0:
        raise UsageError("say which jobs to cancel: by their ids, by an option such as --tag, or with --all")
    if ways > 1:
        raise UsageError("jobs are cancelled by their ids, by options such as --tag, or with --all; give one of these")


def _to_be_cancelled(client: Client, wanted: JobFilter, named: list[JobRecord] | None) -> list[JobRecord]:
    if named is None:
        pending = wanted.among(PENDING)
        return [] if pending is None else client.listed(pending, limit=None, descending=False)
    return [job for job in named if not job.status.is_final]


def _each_once(jobs: list[JobRecord]) -> list[JobRecord]:
    return list({job.seq: job for job in jobs}.values())
