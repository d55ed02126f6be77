"""`export` and `import`: jobs that have ended, in a file, from one store to another."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from aerjob_cli.api.exports import export, exportable
from aerjob_cli.api.incoming import Incoming, OnStep
from aerjob_cli.bundles.reading import opened_bundle
from aerjob_cli.cli import interrupts, parameters, result_options
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.moving import Exported, Imported
from aerjob_cli.cli.bundle_circuits import require_valid
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.live.status_line import status_line
from aerjob_cli.cli.output_files import output_file
from aerjob_cli.cli.plurals import count_of
from aerjob_cli.cli.selection import SelectionWithReason, takes_selection_with_reason
from aerjob_cli.errors import AerjobError, OutputUnwritable
from aerjob_cli.states import FINAL

Output = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The bundle, as jobs.zip.")]
BundleFile = Annotated[str, typer.Argument(metavar="FILE", help="A bundle that `aerjob export` has written.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only look at all of it, and list the jobs that would come.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    damaged = {5: "the store is unusable, or what is stored of a job is damaged; nothing was written"}
    app.command("export", epilog=epilog("aerjob export --tag paper -o paper.zip", 3, 8, 70, own=damaged))(export_jobs)
    refused = {6: "the bundle was refused; nothing was imported"}
    app.command("import", epilog=epilog("aerjob import paper.zip", 6, own=refused))(import_jobs)


@takes_selection_with_reason
def export_jobs(
    context: typer.Context,
    selection: SelectionWithReason,
    output: Output,
    force: result_options.Force = False,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Write ended jobs into a file, with results and history. Nothing in the store changes.

    They are named by their ids, or by what they have in common: then those are meant that have ended. The file is a zip
    archive of JSON and of the circuits as they were handed in, with checksums, which other programs can read
    (docs/bundles.md).
    """
    invocation = Invocation.of(context, as_json=as_json)
    interrupts.only_looking()
    place = output_file(output, force=force)
    if place is None:
        raise OutputUnwritable("stdout", "a bundle is written into a file", "name one with -o")
    client = invocation.client
    records = exportable(client.store, selection.meant(client, among=FINAL))
    with status_line() as line:

        def tell(written: int, total: int) -> None:
            if line.is_due():
                line.draw(f"{written}/{total} jobs written")

        place.fill(lambda file: export(client.store, records, file, on_written=tell))
    return Exported(
        file=place.name,
        size_bytes=os.stat(place.path).st_size,
        job_ids=tuple(record.job_id for record in records),
    )


def import_jobs(
    context: typer.Context, file: BundleFile, dry_run: DryRun = False, as_json: parameters.AsJson = False
) -> Answer:
    """Take in the jobs of such a file, which are never run here. Their ids, times and results are kept.

    All of the file is looked at first, and refused as a whole if anything in it is not as it should be. Jobs that are
    here already stay as they are; if one of them is not the same, nothing is imported.
    """
    invocation = Invocation.of(context, as_json=as_json)
    store = invocation.client.store
    name = clean(os.fsencode(file).decode("utf-8", errors="replace"))
    with opened_bundle(file, name) as bundle, status_line() as line:

        def tell(step: str) -> None:
            if line.is_due():
                line.draw(step)

        incoming = Incoming(store, bundle)
        incoming.look(require_valid=require_valid, on_step=tell)
        error = None
        if not dry_run:
            error = _take_in(incoming, tell)
    job_ids = incoming.new if dry_run else tuple(incoming.taken_in)
    return Imported(
        file=name,
        job_ids=job_ids,
        skipped=incoming.skipped,
        dry_run=dry_run,
        remarks=_remarks(incoming, is_cut=error is not None),
        error=error,
        exit_code=0 if error is None else error.exit_code,
    )


def _take_in(incoming: Incoming, tell: OnStep) -> AerjobError | None:
    """Take all jobs in, some at a time; give what came in between when some were in by then."""
    try:
        while not incoming.is_complete:
            with interrupts.put_off():
                incoming.take_in()
            tell(f"{len(incoming.taken_in)}/{len(incoming.new)} jobs imported")
    except (interrupts.Interrupted, AerjobError) as cause:
        if not incoming.taken_in:
            raise
        return cause.as_error() if isinstance(cause, interrupts.Interrupted) else cause
    return None


def _remarks(incoming: Incoming, *, is_cut: bool) -> tuple[str, ...]:
    remarks = []
    if incoming.skipped:
        remarks.append(f"{count_of(len(incoming.skipped), 'job')} left alone: here already, and the same")
    if is_cut and not incoming.is_complete:
        done, total = len(incoming.taken_in), len(incoming.new)
        remarks.append(f"{done} of {total} jobs are imported, the others are not; the same command does the rest")
    return tuple(remarks)
