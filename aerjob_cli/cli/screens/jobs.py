"""Jobs on a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.jobs import Ended, JobDetails, JobList, details, row
from aerjob_cli.cli.screens.styles import status_text
from aerjob_cli.store.records import JobRecord


def parts(answer: Answer) -> list[RenderableType]:
    """Give what to print, one below the other."""
    match answer:
        case JobDetails():
            return [_details_table(job, answer.queue_positions.get(job.job_id)) for job in answer.jobs]
        case JobList():
            return [_jobs_table(answer.jobs)] if answer.jobs else [Text("no jobs")]
        case Ended():
            return [Text.assemble(f"{answer.job.job_id}  ", status_text(answer.job.status))]
        case _:
            raise TypeError(f"{type(answer).__name__} has no screen of jobs")


def _jobs_table(jobs: tuple[JobRecord, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("JOB", "STATUS", "DONE", "BACKEND", "SUBMITTED", "NAME"):
        # An id that is cut off is of no use.
        table.add_column(heading, no_wrap=heading == "JOB")
    for job in jobs:
        job_id, _, *others = row(job)
        table.add_row(Text(job_id), status_text(job.status), *map(Text, others))
    return table


def _details_table(job: JobRecord, queue_position: int | None) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in details(job, queue_position):
        table.add_row(label, status_text(job.status) if label == "status" else Text(value))
    return table
