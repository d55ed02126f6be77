"""`worker enable|disable`: the worker as a service of the system, so that jobs go on without anybody."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from aerjob_cli.cli import parameters, worker_control
from aerjob_cli.cli.answers.base import Answer, Note
from aerjob_cli.cli.answers.worker import ServiceChange, ServiceFile
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.services.here import service_of
from aerjob_cli.cli.services.service import Change, Definition, Service
from aerjob_cli.cli.worker_options import DrainGrace, Lease, Slots, ValidationLimit, WorkerOptions
from aerjob_cli.errors import ServiceFailed

_SENTENCES = {
    "enabled": "enabled {name}, a service of {manager} ({path})",
    "already_enabled": "{name} is enabled already ({path})",
    "written": "wrote {path}, which {manager} does not know of yet",
    "disabled": "disabled {name} and removed {path}",
    "not_enabled": "no service is enabled for this store",
    "not_disabled": "{name} is still there ({path})",
}


def register(commands: typer.Typer) -> None:
    """Add the commands to the group."""
    commands.command(epilog=epilog("aerjob worker enable --slots 4", 70))(enable)
    commands.command(epilog=epilog("aerjob worker disable", 70))(disable)


def enable(
    context: typer.Context,
    slots: Slots = None,
    lease: Lease = None,
    drain_grace: DrainGrace = None,
    validation_limit: ValidationLimit = None,
    print_only: Annotated[
        bool, typer.Option("--print", "--dry-run", help="Print the service's file, and change nothing.")
    ] = False,
    as_json: parameters.AsJson = False,
) -> Iterator[Answer]:
    """Have the system run the worker: now, after a failure, and after a reboot."""
    invocation = Invocation.of(context, as_json=as_json)
    options = WorkerOptions(slots=slots, lease_s=lease, drain_grace_s=drain_grace, validation_limit_s=validation_limit)
    home = invocation.settings.paths.home
    definition = Definition(
        home=home,
        # Not resolved: the link in a venv is what says that it is one.
        python=Path(os.path.abspath(sys.executable)),
        options=options.arguments(),
        drain_grace_s=options.settings().drain_grace_s,
    )
    service = service_of(home)
    if print_only:
        yield ServiceFile(
            sentence="",
            service=service.name,
            path=str(service.path),
            outcome="printed",
            started=False,
            hints=(),
            text=service.described(definition),
        )
        return
    # A store that cannot be used is told of here, and not by a service that fails again and again.
    others = [worker for worker in worker_control.living(invocation.store) if not service.runs(worker.pid)]
    if others:
        pids = ", ".join(str(worker.pid) for worker in others)
        sentence = f"the worker that runs now (pid {pids}) makes room when the service starts"
        yield Note(remarks=(f"{sentence}; what it does not end in time goes on",))
    yield _carried_out(service, lambda: service.enable(definition))


def disable(context: typer.Context, as_json: parameters.AsJson = False) -> Answer:
    """Stop the service and remove it; from then on a worker is started when one is needed, as before."""
    service = service_of(Invocation.of(context, as_json=as_json).settings.paths.home)
    return _carried_out(service, service.disable)


def _carried_out(service: Service, order: Callable[[], Change]) -> Answer:
    try:
        change = order()
    except OSError as error:
        fact = f"{error.filename or service.path} cannot be changed ({error.strerror})"
        raise ServiceFailed(f"{fact}; check the permissions of that folder", path=str(service.path)) from error
    problem = None if change.problem is None else ServiceFailed(change.problem, service=service.name)
    return ServiceChange(
        sentence=_SENTENCES[change.outcome].format(name=service.name, manager=service.manager, path=service.path),
        service=service.name,
        path=str(service.path),
        outcome=change.outcome,
        started=change.started,
        hints=change.hints,
        error=problem,
        exit_code=0 if problem is None else problem.exit_code,
    )
