"""A dashboard on a terminal: a line of text for each line of the screen, none of them too wide."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.dashboard import Dashboard, RunningJob, WaitingJob, show_done
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.live.figures import clock_text, rate_text, size_text
from aerjob_cli.cli.screens.grid import Grid, bar, share
from aerjob_cli.cli.screens.styles import status_text
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import FINAL, UNBEGUN, Status
from aerjob_cli.store.records import JobRecord

Cells = tuple[str | Text, ...]

_HEADING = "bold"
_LABEL_WIDTH = 8
# What a list has even where there is no room for all: two rows, and how many more there are.
_ROWS_AT_LEAST = 3
_ROWS_WHEN_PRINTED = 20
_NARROWEST = 40
_US_PER_S = 1_000_000


@dataclass(frozen=True)
class _Section:
    """Jobs in the same part of their life: a heading over their columns, a row for each, how many there are in all."""

    heading: Cells
    rows: list[Cells]
    total: int


def parts(answer: Answer) -> list[RenderableType]:
    """Give what to print, one below the other."""
    if not isinstance(answer, Dashboard):
        raise TypeError(f"{type(answer).__name__} has no screen of a dashboard")
    return [*frame(answer, width=Console().width - 1)]


def frame(dashboard: Dashboard, *, width: int, height: int | None = None) -> list[Text]:
    """Lay a dashboard out in lines of at most ``width`` cells, and at most ``height`` of them."""
    width = max(width, _NARROWEST)
    grid = _grid(dashboard, width)
    sections = [section for section in _sections(dashboard, bar_width=grid.widths[3]) if section.total]
    lines = _head(dashboard, width)
    # Each section has an empty line above it, and its heading.
    body = _ROWS_WHEN_PRINTED * len(sections) if height is None else height - len(lines) - 2 * len(sections)
    wanted = [min(section.total, _ROWS_WHEN_PRINTED) if height is None else section.total for section in sections]
    for section, rows in zip(sections, share(max(body, 0), wanted, at_least=_ROWS_AT_LEAST), strict=True):
        if rows:
            lines += [Text(), grid.line(section.heading, style=_HEADING), *_rows(section, grid, rows)]
    if not sections:
        lines += [Text(), Text("nothing is pending" if dashboard.title == "watch" else "no jobs", style="dim")]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines[:height]


def _rows(section: _Section, grid: Grid, limit: int) -> list[Text]:
    if section.total <= min(limit, len(section.rows)):
        return [grid.line(cells) for cells in section.rows]
    shown = section.rows[: limit - 1]
    return [*map(grid.line, shown), Text(f"… and {section.total - len(shown)} more", style="dim")]


def _grid(dashboard: Dashboard, width: int) -> Grid:
    jobs = [item.job for item in dashboard.running] + [item.job for item in dashboard.waiting] + [*dashboard.ended]
    id_width = max([8, *map(len, dashboard.short_ids.values())])
    bar_width = min(max(width // 5 - 6, 10), 24)  # "cancelling" fits
    done_width = max([4, *(len(show_done(job)) for job in jobs)])
    figures = (8, 8, 8)
    rest = max(width - sum((id_width, bar_width, done_width, *figures, 7)), 12)  # 7 gaps
    backend_width = min(max([7, *(len(job.backend) for job in jobs)]), rest * 9 // 16)
    widths = (id_width, rest - backend_width, backend_width, bar_width, done_width, *figures)
    return Grid(widths, first_on_the_right=4)


def _head(dashboard: Dashboard, width: int) -> list[Text]:
    title = Text(f"aerjob {dashboard.title}", style=_HEADING)
    counted = [(dashboard.count(status), status.lower()) for status in Status if status not in UNBEGUN]
    unvalidated = dashboard.count(Status.INITIALIZING, Status.VALIDATING)
    counted[1:1] = [(dashboard.count(Status.QUEUED), "queued")] + [(unvalidated, "to validate")] * (unvalidated > 0)
    rates = dashboard.throughput
    rate = f"{rate_text(rates.jobs_per_s)} jobs/s · {rate_text(rates.experiments_per_s)} experiments/s"
    used, free = dashboard.executors_rss_bytes, dashboard.available_bytes
    memory = [] if used is None else [f"{size_text(used)} in jobs"]
    memory += [] if free is None else [f"{size_text(free)} free"]
    last = _labelled("rate", rate)
    if memory:
        last.append("  memory ", style=_HEADING).append(", ".join(memory))
    return [
        Text.assemble(title, "  ", _short_path(dashboard.home, width - len(title) - 2)),
        _labelled("worker", _worker(dashboard)),
        _labelled("jobs", " · ".join(f"{count} {what}" for count, what in counted)),
        last,
    ]


def _labelled(label: str, text: str) -> Text:
    return Text.assemble((f"{label:<{_LABEL_WIDTH}}", _HEADING), text, no_wrap=True)


def _worker(dashboard: Dashboard) -> str:
    if dashboard.worker is None:
        return "none runs"
    worker = dashboard.worker.worker
    known = [
        f"pid {worker.pid}",
        f"aerjob {worker.aerjob_version}",
        f"{dashboard.worker.busy} of {worker.slots} slots busy",
        f"up {clock_text(dashboard.uptime_s or 0.0)}",
        *([] if worker.drain_requested_us is None else ["stopping"]),
    ]
    return clean(" · ".join(known))


def _sections(dashboard: Dashboard, *, bar_width: int) -> list[_Section]:
    ids, now_us = dashboard.short_ids, dashboard.at_us
    return [
        _Section(
            ("RUNNING", "NAME", "BACKEND", "PROGRESS", "DONE", "ELAPSED", "ETA", "RSS"),
            [_identity(item.job, ids) + _running(item, bar_width) for item in dashboard.running],
            max(len(dashboard.running), dashboard.count(Status.RUNNING)),
        ),
        _Section(
            ("QUEUED", "NAME", "BACKEND", "POSITION", "DONE", "PRIORITY", "WAITING", ""),
            [_identity(item.job, ids) + _waiting(item, now_us) for item in dashboard.waiting],
            max(len(dashboard.waiting), dashboard.count(*UNBEGUN)),
        ),
        _Section(
            ("ENDED", "NAME", "BACKEND", "STATUS", "DONE", "TOOK", "AGO", ""),
            [_identity(job, ids) + _ended(job, now_us) for job in dashboard.ended],
            max(len(dashboard.ended), dashboard.count(*FINAL)),
        ),
    ]


def _identity(job: JobRecord, short_ids: Mapping[str, str]) -> Cells:
    return short_ids.get(job.job_id, job.job_id), clean(job.name or ""), clean(job.backend)


def _running(item: RunningJob, bar_width: int) -> Cells:
    job, progress = item.job, item.progress
    return (
        Text("cancelling", style="magenta")
        if job.cancel_requested_us is not None
        else bar(job.experiments_done, job.experiments_total, bar_width),
        show_done(job),
        clock_text(progress.elapsed_s),
        "" if progress.eta_s is None else clock_text(progress.eta_s),
        "" if progress.rss_bytes is None else size_text(progress.rss_bytes),
    )


def _waiting(item: WaitingJob, now_us: int) -> Cells:
    job = item.job
    position = "-" if item.position is None else str(item.position)
    return position, show_done(job), str(job.priority), _since(job.submitted_us, now_us), ""


def _ended(job: JobRecord, now_us: int) -> Cells:
    ended_us = job.finished_us or now_us
    took = "" if job.started_us is None else _since(job.started_us, ended_us)
    how = status_text(job.status)
    if job.status is Status.ERROR:
        how = Text.assemble(how, f" {job.reason}")
    return how, show_done(job), took, _since(ended_us, now_us), ""


def _since(begun_us: int, now_us: int) -> str:
    return clock_text((now_us - begun_us) / _US_PER_S)


def _short_path(path: Path, width: int) -> str:
    """Write a path with ``~``; where there is no room for all of it, its end tells more than its beginning."""
    home = os.path.expanduser("~")
    text = clean(f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path))
    while cell_len(text) > width and len(text) > 1:
        text = "…" + text[2:]
    return text
