"""Answers for a person at a terminal, with Rich. Nothing from outside is taken for Rich's markup."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from aerjob_cli.cli import streams
from aerjob_cli.cli.answers import Answer
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.job_answers import Ended, JobDetails, JobList, details, row
from aerjob_cli.cli.result_answers import JobResult, RunResults
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord

_COLOURS = {
    Status.INITIALIZING: "cyan",
    Status.VALIDATING: "cyan",
    Status.QUEUED: "yellow",
    Status.RUNNING: "blue",
    Status.DONE: "green",
    Status.ERROR: "red",
    Status.CANCELLED: "magenta",
}
# More outcomes than this are for a file, not for a screen.
_OUTCOMES_SHOWN = 64


def print_for_person(answer: Answer) -> None:
    """Print an answer on the terminal."""
    console = Console(highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        for part in _parts(answer):
            # A line of text, an id above all, is not broken.
            console.print(part, soft_wrap=isinstance(part, Text))
    streams.to_stdout(captured.get())


def _parts(answer: Answer) -> list[RenderableType]:
    match answer:
        case JobDetails():
            return [_details_table(job, answer.queue_positions.get(job.job_id)) for job in answer.jobs]
        case JobList():
            return [_jobs_table(answer.jobs)] if answer.jobs else [Text("no jobs")]
        case Ended():
            return [Text.assemble(f"{answer.job.job_id}  ", _status(answer.job.status))]
        case JobResult():
            return _result_tables(answer)
        case RunResults():
            return [table for result in answer.results for table in _result_tables(result)]
        case _:
            return [Text(line) for line in answer.lines()]


def _status(status: Status) -> Text:
    return Text(status, style=_COLOURS[status])


def _jobs_table(jobs: tuple[JobRecord, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("JOB", "STATUS", "DONE", "BACKEND", "SUBMITTED", "NAME"):
        # An id that is cut off is of no use.
        table.add_column(heading, no_wrap=heading == "JOB")
    for job in jobs:
        job_id, _, *others = row(job)
        table.add_row(Text(job_id), _status(job.status), *map(Text, others))
    return table


def _details_table(job: JobRecord, queue_position: int | None) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in details(job, queue_position):
        table.add_row(label, _status(job.status) if label == "status" else Text(value))
    return table


def _result_tables(result: JobResult) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for experiment in result.experiments:
        total = sum(experiment.counts.values()) or 1
        heading = f"{clean(experiment.name)}: {experiment.shots} shots, seed {experiment.seed}"
        table = Table(title=Text(heading), title_justify="left", box=None, pad_edge=False)
        table.add_column("OUTCOME", no_wrap=True)
        table.add_column("COUNT", justify="right")
        table.add_column("%", justify="right")
        for bits, count in list(experiment.counts.items())[:_OUTCOMES_SHOWN]:
            table.add_row(Text(bits), str(count), f"{100 * count / total:.1f}")
        parts.append(table)
        left_out = len(experiment.counts) - _OUTCOMES_SHOWN
        if left_out > 0:
            parts.append(Text(f"… and {left_out} rarer outcomes; `aerjob result --format json` gives them all"))
    return parts
