"""`doctor`: is all well that jobs need, and what to do where it is not?"""

from __future__ import annotations

import os
from collections.abc import Iterator

import typer

from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.doctor import Diagnosis
from aerjob_cli.cli.checkup import database, installation, place, worker
from aerjob_cli.cli.checkup.finding import Finding
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.live.status_line import status_line
from aerjob_cli.errors import StoreUnusable
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.database import Store

_OWN = {
    0: "all is well, apart from what is only noted",
    5: "the store or its place is not as it should be",
    70: "aerjob's own programs or packages are not; or a bug in aerjob",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob doctor", own=_OWN))(doctor)


def doctor(context: typer.Context, as_json: parameters.AsJson = False) -> Answer:
    """Look whether all is well that jobs need, and say what to do.

    The packages, the machine, the folder and its disk, the store, its locks and its worker. Nothing is changed.
    """
    paths = Invocation.of(context, as_json=as_json).settings.paths
    found = []
    with status_line() as line:
        for finding in _examine(paths):
            found.append(finding)
            if line.is_due():
                line.draw(f"looked at {finding.subject}")
    return Diagnosis.of(found)


def _examine(paths: StorePaths) -> Iterator[Finding]:
    yield from installation.examine()
    yield from place.examine(paths)
    yield from database.examine(paths)
    if not os.path.lexists(paths.database):
        return
    try:
        store = Store.open(paths)
    except StoreUnusable:
        return  # which has been told already
    try:
        yield from worker.examine(store)
    finally:
        store.close()
