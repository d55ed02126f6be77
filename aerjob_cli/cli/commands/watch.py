"""`watch` and `top`: what goes on, as a screen that keeps up with it, or as one snapshot."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Annotated

import typer

from aerjob_cli.cli import interrupts, parameters, streams
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.jobs import Ended
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.durations import parse_duration
from aerjob_cli.cli.endings import exit_code_of, remarks_on
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.live.gauge import Gauge
from aerjob_cli.cli.live.sources import ChosenJobs, WholeStore
from aerjob_cli.errors import UsageError
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord

# Often enough to seem immediate, and seldom enough to cost nothing.
_INTERVAL_S = 0.25
_SHORTEST_INTERVAL_S = 0.05
_PENDING = tuple(status for status in Status if not status.is_final)

Interval = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="DURATION", help="The shortest time between two frames; else 250ms."),
]
Once = Annotated[bool, typer.Option("--once", help="Print one frame and end.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog=epilog("aerjob watch last", 1, 3, 4, 70))(watch)
    app.command(epilog=epilog("aerjob top --interval 1s"))(top)


def watch(
    context: typer.Context,
    job_ids: parameters.SomeJobIds = None,
    interval: Interval = None,
    once: Once = False,
    as_json: parameters.AsJson = False,
) -> Iterator[Answer]:
    """Watch jobs on the whole terminal. A worker is started when none works on them. `q` leaves, the jobs go on.

    With ids it ends when these jobs have ended, and then prints and exits as `wait` does. Without ids it shows what is
    pending and what ends meanwhile. Where stdout is no terminal, and with --json, it prints one snapshot and ends.
    """
    invocation = Invocation.of(context, as_json=as_json)
    client = invocation.client
    if not job_ids:
        yield from _shown(invocation, WholeStore(from_now_on=True), "watch", interval, once, attend=client.attend)
        return
    chosen = ChosenJobs({job.seq: job for job in client.resolve(job_ids)}.values())
    yield from _shown(invocation, chosen, "watch", interval, once, attend=client.attend)


def top(
    context: typer.Context, interval: Interval = None, once: Once = False, as_json: parameters.AsJson = False
) -> Iterator[Answer]:
    """Show what goes on: the worker, running, queued and ended jobs. `q` leaves.

    Where stdout is no terminal, and with --json, it prints one snapshot and ends.
    """
    interrupts.only_looking()
    invocation = Invocation.of(context, as_json=as_json)
    # It only looks: what is pending is left as it is.
    attend = invocation.store.require_present
    yield from _shown(invocation, WholeStore(from_now_on=False), "top", interval, once, attend=attend)


def _shown(
    invocation: Invocation,
    source: WholeStore | ChosenJobs,
    title: str,
    interval_s: float | None,
    once: bool,
    *,
    attend: Callable[[], None],
) -> Iterator[Answer]:
    if interval_s is not None and interval_s < _SHORTEST_INTERVAL_S:
        raise UsageError("--interval is shorter than 50ms; the default is 250ms")
    with closing(Gauge(invocation.store, source, title=title)) as gauge:
        if once or invocation.json or not _is_screen():
            seen = gauge.look()
            is_idle = title == "watch" and not invocation.json and not seen.count(*_PENDING)
            yield replace(seen, remarks=("nothing is pending",)) if is_idle else seen
            return
        # Rich costs 20 ms, and only here somebody sees it.
        from aerjob_cli.cli.live import dashboard

        ended = dashboard.show(
            gauge,
            interval_s=_INTERVAL_S if interval_s is None else interval_s,
            attend=attend,
            is_over=lambda: source.is_over,
            footer="q leaves; it ends when all have ended" if isinstance(source, ChosenJobs) else "q leaves",
        )
    if ended and isinstance(source, ChosenJobs):
        yield from _endings(source.jobs)


def _is_screen() -> bool:
    return streams.is_terminal() and os.environ.get("TERM", "dumb") != "dumb"


def _endings(jobs: list[JobRecord]) -> Iterator[Answer]:
    """Give each job as `wait` does, the last one with the exit code of all."""
    exit_code = exit_code_of(jobs)
    yield from (Ended(job=job, remarks=remarks_on([job]), exit_code=exit_code) for job in jobs)
