"""`worker start|stop|status|run`: the process behind the jobs, for those who want to see to it themselves."""

from __future__ import annotations

from typing import Annotated

import typer

from aerjob_cli.cli import parameters, worker_control
from aerjob_cli.cli.answers.base import Answer, Note
from aerjob_cli.cli.answers.worker import LiveWorker, ServiceStanding, WorkerChange, WorkerStatus
from aerjob_cli.cli.commands import worker_logs, worker_service
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.services.here import service_of
from aerjob_cli.cli.services.service import Service
from aerjob_cli.cli.worker_options import (
    DrainGrace,
    IdleExit,
    Lease,
    MaxMemory,
    OnEndLimit,
    Patience,
    Slots,
    ValidationLimit,
    WorkerOptions,
)
from aerjob_cli.errors import WorkerAlreadyRuns
from aerjob_cli.settings import EXIT_ANOTHER_RUNS, EXIT_HANDED_OVER, StorePaths
from aerjob_cli.store.jobs import count_pending, running_of
from aerjob_cli.store.records import WorkerRecord

_STOP_TAKES_AT_MOST_S = 60.0


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    commands = typer.Typer(help="The worker: started when needed, it stops by itself.", rich_markup_mode=None)
    commands.command(epilog=epilog("aerjob worker start --slots 4", 70))(start)
    commands.command(epilog=epilog("aerjob worker stop", 124))(stop)
    commands.command(epilog=epilog("aerjob worker status"))(status)
    own = {1: "another worker runs on this store, or has taken it over"}
    commands.command(epilog=epilog("aerjob worker run --idle-exit 0", 70, own=own))(run)
    worker_service.register(commands)
    worker_logs.register(commands)
    app.add_typer(commands, name="worker")


def start(
    context: typer.Context,
    slots: Slots = None,
    idle_exit: IdleExit = None,
    lease: Lease = None,
    drain_grace: DrainGrace = None,
    validation_limit: ValidationLimit = None,
    max_memory: MaxMemory = None,
    patience: Patience = None,
    on_end_limit: OnEndLimit = None,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Start the worker in the background, unless it runs."""
    store = Invocation.of(context, as_json=as_json).store
    options = WorkerOptions(
        slots=slots,
        idle_exit_s=idle_exit,
        lease_s=lease,
        drain_grace_s=drain_grace,
        validation_limit_s=validation_limit,
        max_memory_mb=max_memory,
        patience_s=patience,
        on_end_limit_s=on_end_limit,
    )
    started = worker_control.start(store, options.arguments())
    service = _enabled_service(store.paths)
    running = worker_control.living(store)
    remarks: tuple[str, ...] = ()
    if service is not None and running and not service.runs(running[0].pid):
        remarks = (f"{service.name} is enabled and does not run this worker; `{service.start_line}` has it take over",)
    if started:
        return WorkerChange(sentence="the worker runs", outcome="started", remarks=remarks)
    return WorkerChange(sentence="a worker is already running", outcome="already_running", remarks=remarks)


def stop(
    context: typer.Context,
    timeout: parameters.Timeout = None,
    force: Annotated[bool, typer.Option("--force", help="Kill it; its jobs go on with the next worker.")] = False,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Have the worker stop, and wait until it has; what it runs is given time to end, or goes on with the next."""
    store = Invocation.of(context, as_json=as_json).store
    found = worker_control.living(store)
    timeout_s = _STOP_TAKES_AT_MOST_S if timeout is None else timeout
    if found and force:
        worker_control.kill(store, found, timeout_s=timeout_s)
    elif found:
        worker_control.stop(store, found, timeout_s=timeout_s)
    # Only now: a second order to stop would end the grace of the first.
    remarks = _halt(_enabled_service(store.paths))
    if not found:
        return WorkerChange(sentence="no worker is running", outcome="not_running", remarks=remarks)
    if force:
        return WorkerChange(sentence="the worker was killed", outcome="killed", remarks=remarks)
    return WorkerChange(sentence="the worker has stopped", outcome="stopped", remarks=remarks)


def status(context: typer.Context, as_json: parameters.AsJson = False) -> Answer:
    """Show the worker that runs, and how many jobs there are for it."""
    store = Invocation.of(context, as_json=as_json).store
    found = worker_control.living(store)
    service = service_of(store.paths.home)
    monotonic_s = store.clock.monotonic_s()
    with store.reading_directly() as tx:
        live = tuple(
            LiveWorker(
                worker=worker,
                running=tuple(running_of(tx, worker.worker_id)),
                processes=worker_control.memory_of(worker),
                heartbeat_age_s=max(0.0, monotonic_s - worker.heartbeat_monotonic_s),
            )
            for worker in found
        )
        return WorkerStatus(
            workers=live, pending=count_pending(tx), service=_standing(service, found), now_us=store.now_us()
        )


def run(
    context: typer.Context,
    slots: Slots = None,
    idle_exit: IdleExit = None,
    lease: Lease = None,
    drain_grace: DrainGrace = None,
    validation_limit: ValidationLimit = None,
    max_memory: MaxMemory = None,
    patience: Patience = None,
    on_end_limit: OnEndLimit = None,
    take_over: Annotated[
        bool,
        typer.Option("--take-over", help="Have another worker make room, where one runs; a later one is waited for."),
    ] = False,
) -> Answer:
    """Be the worker, in the foreground: for systemd and containers. SIGTERM drains, a second one ends at once."""
    invocation = Invocation.of(context)
    options = WorkerOptions(
        slots=slots,
        idle_exit_s=idle_exit,
        lease_s=lease,
        drain_grace_s=drain_grace,
        validation_limit_s=validation_limit,
        max_memory_mb=max_memory,
        patience_s=patience,
        on_end_limit_s=on_end_limit,
    )
    # The worker's own imports are of no use to any other command.
    from aerjob_cli.worker import daemon

    code = daemon.run(invocation.settings.paths, options.settings(foreground=True, takes_over=take_over))
    if code == EXIT_ANOTHER_RUNS:
        raise WorkerAlreadyRuns(
            "another worker already runs on this store; `aerjob worker status` shows it, --take-over would replace it"
        )
    if code == EXIT_HANDED_OVER:
        raise WorkerAlreadyRuns(
            "another worker has taken this store over, as those of a later aerjob do; `aerjob worker status` shows it"
        )
    return Note(exit_code=code)


def _enabled_service(paths: StorePaths) -> Service | None:
    service = service_of(paths.home)
    return service if service.is_enabled() else None


def _halt(service: Service | None) -> tuple[str, ...]:
    if service is None:
        return ()
    if not service.halt():
        return (f"{service.manager} does not answer from here, and may start {service.name} again",)
    return (f"{service.name} stays enabled and starts again at the next login; `aerjob worker disable` ends that",)


def _standing(service: Service, found: list[WorkerRecord]) -> ServiceStanding | None:
    if not service.path.exists():
        return None
    runs = [service.runs(worker.pid) for worker in found]
    return ServiceStanding(
        name=service.name,
        manager=service.manager,
        path=str(service.path),
        is_enabled=service.is_enabled(),
        is_running=None if None in runs else any(runs),
    )
