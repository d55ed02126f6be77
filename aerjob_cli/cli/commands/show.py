"""`show`: all that is known of one job, the bytes it was submitted with, its circuits drawn."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import typer

from aerjob_cli.api.client import Client
from aerjob_cli.api.dossiers import Dossier, dossier_of, source_of
from aerjob_cli.api.progress import progress_of
from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer, Document, Note
from aerjob_cli.cli.answers.drawing import Drawings
from aerjob_cli.cli.answers.provenance import version_text
from aerjob_cli.cli.answers.show import JobView
from aerjob_cli.cli.answers.source import SourceText
from aerjob_cli.cli.answers.status import JobState
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.drawings import draw
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.output_files import OutputFile, output_file
from aerjob_cli.cli.streams import is_terminal
from aerjob_cli.errors import CircuitRefused, UsageError
from aerjob_cli.executors.specs import spec_of
from aerjob_cli.memory import usable_memory_mb
from aerjob_cli.store.records import JobRecord, PayloadRecord

_NARROWEST_DRAWING = 40
_FILES_NAMED = 10

Source = Annotated[
    bool, typer.Option("--source", help="Write the bytes that it was submitted with, exactly as they came.")
]
File = Annotated[
    int | None, typer.Option("--file", min=0, metavar="N", help="Of several files this one, counted from 0.")
]
Output = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write the source; else on stdout.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file that is there.")]
Circuit = Annotated[bool, typer.Option("--circuit", help="Draw its circuits with characters.")]
Experiment = Annotated[
    int | None, typer.Option("--experiment", min=0, metavar="N", help="Of several circuits this one, counted from 0.")
]

Experiments = Annotated[
    bool,
    typer.Option("--experiments", help="Say also how each experiment was run: seed, method, threads, time, memory."),
]
Executed = Annotated[
    bool, typer.Option("--executed", help="Draw the circuits as the simulator gets them, with the installed Qiskit.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob show last --circuit", 3, 6))(show)


def show(
    context: typer.Context,
    job_id: parameters.JobId,
    source: Source = False,
    file: File = None,
    output: Output = None,
    force: Force = False,
    circuit: Circuit = False,
    experiment: Experiment = None,
    executed: Executed = False,
    experiments: Experiments = False,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Show all that is known of a job, its history and why it failed.

    That includes what its result comes from: versions, the CPU, the method that was taken, time and memory.
    """
    if source and (circuit or as_json):
        raise UsageError(f"--source writes bytes; leave out {'--circuit' if circuit else '--json'}")
    if not source and (file is not None or output is not None or force):
        raise UsageError("--file, --output and --force are about the source; give --source with them")
    if experiment is not None and not circuit:
        raise UsageError("--experiment says which circuit to draw; give --circuit with it")
    if executed and not circuit:
        raise UsageError("--executed says which circuits to draw; give --circuit with it")
    if experiments and (source or circuit):
        raise UsageError(f"--experiments says how they were run; leave out {'--source' if source else '--circuit'}")
    invocation = Invocation.of(context, as_json=as_json)
    place = output_file(output, force=force)
    client = invocation.client
    (job,) = client.resolve([job_id])
    if source:
        invocation.json = False
        return _source(client, job, file, place)
    if circuit:
        return _drawings(client, job, experiment, executed=executed)
    return _view(client, dossier_of(client.store, job, with_experiments=experiments), has_experiments=experiments)


def _view(client: Client, dossier: Dossier, *, has_experiments: bool) -> JobView:
    job, now_us = dossier.job, client.store.now_us()
    state = JobState(job, progress_of(job, now_us=now_us), dossier.queue_position)
    return JobView(dossier=dossier, state=state, now_us=now_us, has_experiments=has_experiments)


def _source(client: Client, job: JobRecord, wanted: int | None, place: OutputFile | None) -> Answer:
    files = dossier_of(client.store, job).files
    number = _chosen(job, files, wanted) if files else 0
    data = source_of(client.store, job, number)
    if place is not None:
        place.write([data])
        return Note()
    if not is_terminal():
        return Document(data=data)
    try:
        return SourceText(text=data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UsageError(
            f"{files[number].name} is {files[number].format}, which is no text to be shown on a terminal; "
            "write it to a file with -o, or redirect stdout"
        ) from None


def _chosen(job: JobRecord, files: Sequence[PayloadRecord], wanted: int | None) -> int:
    if wanted is None and len(files) == 1:
        return 0
    if wanted is not None and wanted < len(files):
        return wanted
    listing = ", ".join(f"{number} ({file.name}, {file.format})" for number, file in enumerate(files[:_FILES_NAMED]))
    more = ", …" if len(files) > _FILES_NAMED else ""
    count = "one file" if len(files) == 1 else f"{len(files)} files"
    raise UsageError(f"job {job.job_id} was submitted with {count}: {listing}{more}; say with --file which one")


def _drawings(client: Client, job: JobRecord, experiment: int | None, *, executed: bool) -> Answer:
    width = max(_NARROWEST_DRAWING, shutil.get_terminal_size().columns)
    if executed and job.experiments_total is None:
        raise CircuitRefused(
            f"job {job.job_id}, which is {job.status}, has not been found valid, so that nothing is executed; "
            "leave out --executed"
        )
    drawn = draw(
        client.payloads(job) if executed else client.circuits(job),
        width=width,
        experiment=experiment,
        subject=f"the circuits of job {job.job_id}",
        executed_as=spec_of(job, max_memory_mb=usable_memory_mb()) if executed else None,
    )
    drawings, total = drawn.drawings, drawn.total
    if experiment is not None and not drawings:
        count = "one circuit, 0" if total == 1 else f"{total} circuits, 0 to {total - 1}"
        raise UsageError(f"job {job.job_id} has {count}; --experiment {experiment} is none of them")
    too_large = [str(drawing.position) for drawing in drawings if drawing.text is None]
    left_out = 0 if experiment is not None else total - len(drawings)
    remarks = (
        *((f"too large to be drawn: circuit {', '.join(too_large)}",) if too_large else ()),
        *((f"{left_out} more circuits are not drawn; --experiment N draws one",) if left_out else ()),
        *(_remarks_on_translation(client, job, drawn.versions) if executed else _remark_on_measurement(job)),
    )
    return Drawings(
        job_id=job.job_id, drawings=drawings, translated_by=drawn.versions if executed else None, remarks=remarks
    )


def _remark_on_measurement(job: JobRecord) -> Iterator[str]:
    if job.options.get("measure_all"):
        yield "every qubit is measured at the end, by --measure-all"


def _remarks_on_translation(client: Client, job: JobRecord, versions: Mapping[str, str]) -> Iterator[str]:
    """Say where what is drawn need not be what was run: another version may translate otherwise."""
    attempts = dossier_of(client.store, job).provenance.attempts
    runtimes = [attempt.runtime for attempt in attempts if attempt.runtime is not None]
    here = version_text(versions)
    if attempts and not runtimes:
        yield f"translated by {here}; nobody has noted which versions ran the job"
    for there in dict.fromkeys(
        version_text({name: runtime.get(name, "?") for name in versions}) for runtime in runtimes
    ):
        if there != here:
            yield f"translated by {here}; the job ran with {there}, which may translate otherwise"
