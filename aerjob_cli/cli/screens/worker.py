"""The worker on a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aerjob_cli.cli.answers.base import Answer, show_time
from aerjob_cli.cli.answers.worker import LiveWorker, ServiceStanding, WorkerStatus
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.sizes import show_size
from aerjob_cli.cli.times import show_age
from aerjob_cli.clock import to_datetime

_EXECUTOR = "executor"


def parts(answer: Answer) -> list[RenderableType]:
    """Give what to print, one below the other."""
    if not isinstance(answer, WorkerStatus):
        raise TypeError(f"{type(answer).__name__} has no screen of the worker")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for live in answer.workers:
        _add_worker(table, live, answer.now_us)
    if not answer.workers:
        table.add_row("worker", Text("none runs", style="yellow"))
    table.add_row("jobs", answer.jobs())
    if answer.service is not None:
        _add_service(table, answer.service)
    return [table]


def _add_worker(table: Table, live: LiveWorker, now_us: int) -> None:
    worker = live.worker
    state = Text("stopping", style="yellow") if live.is_draining else Text("taking jobs", style="green")
    table.add_row("worker", Text.assemble(clean(f"{worker.worker_id}, pid {worker.pid}, "), state))
    table.add_row("versions", Text(clean(live.versions())))
    since = show_time(to_datetime(worker.started_us))
    table.add_row("since", Text(f"{since} ({show_age(worker.started_us, now_us)})"))
    table.add_row("heartbeat", _heartbeat(live))
    table.add_row("slots", Text(f"{len(live.running)} of {worker.slots} busy"))
    for job_id in live.running:
        table.add_row("", Text(clean(job_id), style="blue"))
    table.add_row("memory", Text(_memory(live)))


def _heartbeat(live: LiveWorker) -> Text:
    age_s = live.heartbeat_age_s
    if age_s is None:
        return Text(show_time(to_datetime(live.worker.heartbeat_us)))
    is_late = age_s > live.worker.lease_s
    lease = f"{live.worker.lease_s:g}s"
    return Text(f"{age_s:.0f}s ago (another may take over after {lease})", style="red" if is_late else "")


def _memory(live: LiveWorker) -> str:
    if live.rss_bytes is None:
        return "unknown"
    single = [
        f"{process.role} {show_size(process.rss_bytes)}"
        for process in live.processes
        if process.role != _EXECUTOR and process.rss_bytes is not None
    ]
    executors = [
        process.rss_bytes for process in live.processes if process.role == _EXECUTOR and process.rss_bytes is not None
    ]
    if executors:
        plural = f"{len(executors)} executors" if len(executors) > 1 else "1 executor"
        single.append(f"{plural} {show_size(sum(executors))}")
    return f"{show_size(live.rss_bytes)}: {', '.join(single)}"


def _add_service(table: Table, service: ServiceStanding) -> None:
    table.add_row("service", Text(clean(f"{service.name}: {service.state()}")))
    table.add_row("", Text(clean(service.path)))
