"""`store info|check|backup|clean|upgrade`: the database and the object folder behind the jobs.

`store prune` is in a module of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aerjob_cli.cli import parameters, worker_control
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.store import StoreBackup, StoreCheck, StoreCleaned, StoreInfo, StoreUpgraded
from aerjob_cli.cli.commands import store_prune
from aerjob_cli.cli.compacting import compacted
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.live.status_line import status_line
from aerjob_cli.cli.sizes import show_size
from aerjob_cli.errors import StoreDamaged
from aerjob_cli.store.backup import back_up
from aerjob_cli.store.database import Store
from aerjob_cli.store.description import describe
from aerjob_cli.store.faults import told
from aerjob_cli.store.folder import require_made
from aerjob_cli.store.garbage import remove_unreferenced
from aerjob_cli.store.inspection import inspect_store
from aerjob_cli.store.problems import Findings
from aerjob_cli.store.repair import repair as repair_store
from aerjob_cli.store.upgrade import WORKER_LEAVES_WITHIN_S, upgrade

Quick = Annotated[bool, typer.Option("--quick", help="Leave out the checksums of circuits and results.")]
Repair = Annotated[bool, typer.Option("--repair", help="First repair what can be repaired without guessing.")]
Destination = Annotated[Path, typer.Argument(metavar="FOLDER", help="It must not exist yet, or be empty.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    commands = typer.Typer(help="The store: what is in it, is it sound, copy it, upgrade it.", rich_markup_mode=None)
    commands.command(epilog=epilog("aerjob store info"))(info)
    damaged = {5: "the store is damaged, or unusable in another way"}
    commands.command(epilog=epilog("aerjob store check --repair", own=damaged))(check)
    failed = {5: "no backup was made; or one was, of a store with damaged files"}
    commands.command(epilog=epilog("aerjob store backup /mnt/disk/aerjob-monday", own=failed))(backup)
    commands.command(epilog=epilog("aerjob store clean"))(clean)
    commands.command("upgrade", epilog=epilog("aerjob store upgrade"))(upgrade_store)
    store_prune.register(commands)
    app.add_typer(commands, name="store")


def info(context: typer.Context, as_json: parameters.AsJson = False) -> Answer:
    """Show where the store is, how large it is and what is in it."""
    store = Invocation.of(context, as_json=as_json).store
    return StoreInfo(store=describe(store), workers=tuple(worker_control.living(store)))


def check(
    context: typer.Context, quick: Quick = False, repair: Repair = False, as_json: parameters.AsJson = False
) -> Answer:
    """Look for damage: in the database, the files and every checksum.

    Without --repair nothing is changed. A worker may go on meanwhile in either case.
    """
    paths = Invocation.of(context, as_json=as_json).settings.paths
    repaired = repair_store(paths) if repair else ()
    with status_line() as line:

        def tell(checked: int) -> None:
            if line.is_due():
                line.draw(f"{checked} circuits and results verified")

        findings = inspect_store(paths, quick=quick, on_checked=tell)
    error = _damage(findings, is_repaired=repair)
    return StoreCheck(
        findings=findings,
        quick=quick,
        repaired=repaired,
        remarks=_waste(findings),
        error=error,
        exit_code=0 if error is None else error.exit_code,
    )


def backup(context: typer.Context, destination: Destination, as_json: parameters.AsJson = False) -> Answer:
    """Copy the store into another folder, while it is in use.

    The copy is a store of its own: with AERJOB_HOME set to its folder it is used like any other.
    """
    store = _made_store(Invocation.of(context, as_json=as_json))
    with status_line() as line:

        def tell(what: str, done: int, total: int) -> None:
            if line.is_due():
                line.draw(f"copying the {what}: {100 * done // max(total, 1)} %")

        made = back_up(store, destination, on_copied=tell)
    error = None
    if made.damaged:
        error = StoreDamaged(
            store.paths.home,
            f"has damaged object files, and so has the backup: {made.damaged[0]}",
            "`aerjob store check` lists them",
        )
    return StoreBackup(backup=made, error=error, exit_code=0 if error is None else error.exit_code)


def clean(context: typer.Context, as_json: parameters.AsJson = False) -> Answer:
    """Remove files that belong to no job any more, and give the database's free room back to the disk.

    A process that was killed can leave such files behind. Young ones stay, since they may be somebody's work. The room
    of jobs that were deleted stays in the database for new ones; where it is a tenth of it, the database is written
    anew, while others wait.
    """
    store = _made_store(Invocation.of(context, as_json=as_json))
    freed_bytes = remove_unreferenced(store)
    compacted_bytes, remarks = compacted(store)
    return StoreCleaned(freed_bytes=freed_bytes + compacted_bytes, remarks=remarks)


def upgrade_store(
    context: typer.Context, timeout: parameters.Timeout = None, as_json: parameters.AsJson = False
) -> Answer:
    """Bring a store of an earlier aerjob up to date.

    Its database is copied first. A worker that runs is asked to stop, as by `worker stop`, and waited for.
    """
    paths = Invocation.of(context, as_json=as_json).settings.paths
    with status_line() as line:

        def tell(pid: int) -> None:
            if line.is_due():
                line.draw(f"waiting for the worker, pid {pid}, to stop")

        done = upgrade(
            paths,
            timeout_s=WORKER_LEAVES_WITHIN_S if timeout is None else timeout,
            on_wait=tell,
            on_step=line.say,
        )
    return StoreUpgraded(upgrade=done)


def _made_store(invocation: Invocation) -> Store:
    """Open the store, but do not make one where there is none."""
    paths = invocation.settings.paths
    with told(paths.home):
        require_made(paths)
    return invocation.store


def _damage(findings: Findings, *, is_repaired: bool) -> StoreDamaged | None:
    if findings.is_sound:
        return None
    count = "a problem" if findings.problems_total == 1 else f"{findings.problems_total} problems"
    remedy = "restore it from a backup, or run the jobs that are concerned again"
    if is_repaired:
        return StoreDamaged(findings.path, f"has {count} that cannot be repaired without guessing", remedy)
    remedy = f"`aerjob store check --repair` mends what it can; else {remedy}"
    return StoreDamaged(findings.path, f"has {count}", remedy)


def _waste(findings: Findings) -> tuple[str, ...]:
    if not findings.unreferenced:
        return ()
    size = show_size(findings.unreferenced_bytes)
    are, them = ("file belongs", "it") if findings.unreferenced == 1 else ("files belong", "them")
    fact = f"{findings.unreferenced} {are} to no job any more ({size})"
    return (f"{fact}; `aerjob store clean` removes {them}",)
