"""Jobs on a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.jobs import Ended, JobList
from aerjob_cli.cli.columns import value_of
from aerjob_cli.cli.screens.styles import status_text
from aerjob_cli.cli.times import show_age
from aerjob_cli.store.records import JobRecord

_HEADINGS = {"id": "JOB", "experiments": "DONE", "retry_of": "RETRY OF"}
_NUMBERS = ("shots", "seed", "priority", "attempt", "duration", "experiments")
# These take what room the others leave: names and tags are cut there, sentences and ids folded.
_CUT = ("name", "tags", "group", "engine")
_FOLDED = ("message", "retry_of")
_NARROWEST = 8
_GAP = 2


def parts(answer: Answer) -> list[RenderableType]:
    """Give what to print, one below the other."""
    match answer:
        case JobList():
            if not answer.jobs:
                return [Text("no jobs")]
            more = [Text("… there are more; --limit or --all shows them", style="dim")] if answer.has_more else []
            return [_JobsTable(answer), *more]
        case Ended():
            return [Text.assemble(f"{answer.job.job_id}  ", status_text(answer.job.status))]
        case _:
            raise TypeError(f"{type(answer).__name__} has no screen of jobs")


class _JobsTable:
    """A table that leaves its essential columns whole, whatever the width of the terminal."""

    def __init__(self, answer: JobList) -> None:
        self._answer = answer

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        answer = self._answer
        room = _room(answer, options.max_width)
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
        for column in answer.columns:
            table.add_column(
                _heading(column),
                # Without room for all, they are folded: what is cut off is lost. An id that is broken is of no use.
                no_wrap=column == "id" or (room is not None and column not in _FOLDED),
                overflow="fold",
                justify="right" if column in _NUMBERS else "left",
            )
        for job in answer.jobs:
            table.add_row(*(_cell(answer, job, column, room) for column in answer.columns))
        yield table


def _room(answer: JobList, width: int) -> dict[str, int] | None:
    """Share out among the columns that can do with less what the others leave; None when that is too little."""
    wanted = {column: _widest(answer, column) for column in answer.columns}
    flexible = sorted((column for column in wanted if column in (*_CUT, *_FOLDED)), key=lambda column: wanted[column])
    left = width - _GAP * (len(answer.columns) - 1) - sum(wanted[column] for column in wanted if column not in flexible)
    room = {}
    for position, column in enumerate(flexible):
        room[column] = min(wanted[column], left // (len(flexible) - position))
        left -= room[column]
    is_enough = left >= 0 and all(cells >= min(_NARROWEST, wanted[column]) for column, cells in room.items())
    return room if is_enough else None


def _heading(column: str) -> str:
    return _HEADINGS.get(column, column.upper())


def _cell(answer: JobList, job: JobRecord, column: str, room: Mapping[str, int] | None) -> Text:
    if column == "status":
        return status_text(job.status)
    text = Text(_shown(answer, job, column))
    if column in _CUT:
        text.truncate(_NARROWEST if room is None else room[column], overflow="ellipsis")
    return text


def _shown(answer: JobList, job: JobRecord, column: str) -> str:
    match column:
        case "id":
            return answer.short_ids.get(job.job_id, job.job_id)
        case "submitted":
            return show_age(job.submitted_us, answer.now_us)
        case "started":
            return "" if job.started_us is None else show_age(job.started_us, answer.now_us)
        case "finished":
            return "" if job.finished_us is None else show_age(job.finished_us, answer.now_us)
        case _:
            return value_of(job, column)


def _widest(answer: JobList, column: str) -> int:
    return max(len(_heading(column)), *(Text(_shown(answer, job, column)).cell_len for job in answer.jobs))
