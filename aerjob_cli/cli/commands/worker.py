"""`worker start|stop|status|run|logs`: the process behind the jobs, for those who want to see to it themselves."""

from __future__ import annotations

from collections import deque
from typing import Annotated

import typer

from aerjob_cli.cli import parameters, worker_control
from aerjob_cli.cli.answers.base import Answer, Note
from aerjob_cli.cli.answers.worker import LiveWorker, LogLines, WorkerChange, WorkerStatus
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.durations import parse_duration
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.errors import UsageError, WorkerAlreadyRuns
from aerjob_cli.settings import EXIT_ANOTHER_RUNS, WorkerSettings
from aerjob_cli.store.faults import told
from aerjob_cli.store.jobs import count_pending, running_of

_STOP_TAKES_AT_MOST_S = 60.0
_SLOTS_AT_MOST = 1024
_LINES_AT_MOST = 2**31 - 1

Slots = Annotated[
    int | None, typer.Option(min=1, max=_SLOTS_AT_MOST, help="How many jobs at once; else one for each core.")
]
IdleExit = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="DURATION", help="Stop after this time without work; 0 is never."),
]
Lease = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="DURATION", help="After this silence another worker may take over."),
]
DrainGrace = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="DURATION", help="How long running jobs go on after a stop."),
]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    commands = typer.Typer(help="The worker: started when needed, it stops by itself.", rich_markup_mode=None)
    commands.command(epilog=epilog("aerjob worker start --slots 4", 70))(start)
    commands.command(epilog=epilog("aerjob worker stop", 124))(stop)
    commands.command(epilog=epilog("aerjob worker status"))(status)
    commands.command(
        epilog=epilog("aerjob worker run --idle-exit 0", 70, own={1: "another worker runs on this store"})
    )(run)
    commands.command(epilog=epilog("aerjob worker logs -n 100"))(logs)
    app.add_typer(commands, name="worker")


def start(
    context: typer.Context,
    slots: Slots = None,
    idle_exit: IdleExit = None,
    lease: Lease = None,
    drain_grace: DrainGrace = None,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Start the worker in the background, unless it runs."""
    store = Invocation.of(context, as_json=as_json).store
    settings = _settings(slots, idle_exit, lease, drain_grace, foreground=False)
    arguments = (
        f"--slots={settings.slots}",
        f"--idle-exit={settings.idle_exit_s!r}",
        f"--lease={settings.lease_s!r}",
        f"--drain-grace={settings.drain_grace_s!r}",
    )
    if worker_control.start(store, arguments):
        return WorkerChange(sentence="the worker runs", outcome="started")
    return WorkerChange(sentence="a worker is already running", outcome="already_running")


def stop(
    context: typer.Context,
    timeout: parameters.Timeout = None,
    force: Annotated[bool, typer.Option("--force", help="Kill it; its jobs go on with the next worker.")] = False,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Have the worker stop, and wait until it has; what it runs is given time to end, or goes on with the next."""
    store = Invocation.of(context, as_json=as_json).store
    found = worker_control.living(store)
    if not found:
        return WorkerChange(sentence="no worker is running", outcome="not_running")
    timeout_s = _STOP_TAKES_AT_MOST_S if timeout is None else timeout
    if force:
        worker_control.kill(store, found, timeout_s=timeout_s)
        return WorkerChange(sentence="the worker was killed", outcome="killed")
    worker_control.stop(store, found, timeout_s=timeout_s)
    return WorkerChange(sentence="the worker has stopped", outcome="stopped")


def status(context: typer.Context, as_json: parameters.AsJson = False) -> Answer:
    """Show the worker that runs, and how many jobs there are for it."""
    store = Invocation.of(context, as_json=as_json).store
    found = worker_control.living(store)
    with store.reading() as tx:
        live = tuple(LiveWorker(worker, tuple(running_of(tx, worker.worker_id))) for worker in found)
        return WorkerStatus(workers=live, pending=count_pending(tx))


def run(
    context: typer.Context,
    slots: Slots = None,
    idle_exit: IdleExit = None,
    lease: Lease = None,
    drain_grace: DrainGrace = None,
) -> Answer:
    """Be the worker, in the foreground: for systemd and containers. SIGTERM drains, a second one ends at once."""
    invocation = Invocation.of(context)
    settings = _settings(slots, idle_exit, lease, drain_grace, foreground=True)
    # The worker's own imports are of no use to any other command.
    from aerjob_cli.worker import daemon

    code = daemon.run(invocation.settings.paths, settings)
    if code == EXIT_ANOTHER_RUNS:
        raise WorkerAlreadyRuns("another worker already runs on this store; `aerjob worker status` shows it")
    return Note(exit_code=code)


def logs(
    context: typer.Context,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=1, max=_LINES_AT_MOST, help="How many, from the end.")
    ] = 50,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Print the end of the worker's log."""
    path = Invocation.of(context, as_json=as_json).settings.paths.worker_log
    with told(path):
        try:
            with path.open(encoding="utf-8", errors="replace") as log:
                return LogLines(tail=tuple(line.rstrip("\n") for line in deque(log, maxlen=lines)))
        except FileNotFoundError:
            return LogLines(tail=(), remarks=("no worker has written a log here yet",))


def _settings(
    slots: int | None,
    idle_exit_s: float | None,
    lease_s: float | None,
    drain_grace_s: float | None,
    *,
    foreground: bool,
) -> WorkerSettings:
    defaults = WorkerSettings()
    if lease_s is not None and lease_s <= 0:
        raise UsageError("a lease must be longer than 0; the default is 30s")
    return WorkerSettings(
        slots=defaults.slots if slots is None else slots,
        idle_exit_s=defaults.idle_exit_s if idle_exit_s is None else idle_exit_s,
        lease_s=defaults.lease_s if lease_s is None else lease_s,
        drain_grace_s=defaults.drain_grace_s if drain_grace_s is None else drain_grace_s,
        foreground=foreground,
    )
