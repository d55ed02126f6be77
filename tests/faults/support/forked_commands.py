"""Commands in processes of their own that are forked, and so spared the start-up that all of them have in common.

Such a process is ready before it begins, so that a tracer can be attached to exactly what it does.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from aerjob_cli.api import changes
from aerjob_cli.cli import render
from aerjob_cli.cli.boundary import run
from aerjob_cli.cli.commands import submit
from aerjob_cli.errors import AerjobError
from aerjob_cli.settings import StorePaths
from aerjob_cli.store import jobs
from aerjob_cli.store.database import Store
from aerjob_cli.store.dbapi import sqlite_library

Program = Callable[..., int]

# All that a command would import is here before the fork: no lazy import is among the calls that are counted.
for _name in (
    *("alembic.command", "alembic.config", "alembic.runtime.migration", "sqlalchemy.dialects.sqlite.pysqlite"),
    *("aerjob_cli.cli.app", "aerjob_cli.cli.answers.jobs", "aerjob_cli.cli.answers.store"),
    *("aerjob_cli.cli.commands.changes", "aerjob_cli.cli.commands.store"),
):
    import_module(_name)
sqlite_library()

_DEADLINE_S = 120.0
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def command(*arguments: str) -> int:
    """Run one command of the command line; a submission does not wait for a verdict, which nobody would give."""
    submit._VERDICT_TAKES_AT_MOST_S = 0.0
    # The worker that it starts ends at once, and is not to be waited for.
    sys.executable = "/bin/true"
    return run(arguments)


def request_end(job_id: str) -> int:
    """Ask for the end of a running job as `cancel` does, which would then wait for a worker's answer."""
    try:
        store = Store.open(StorePaths(Path(os.environ["AERJOB_HOME"])))
        with store.reading() as tx:
            record = jobs.find(tx, job_id)
        changes.request_cancels(store, [record], message="not wanted any more")
        print(job_id, flush=True)  # noqa: T201 - what a caller is told
        store.close()
    except AerjobError as error:
        render.print_error(error, as_json=False)
        return error.exit_code
    return 0


@dataclass(frozen=True)
class Ended:
    """What a process has said and how it ended; the number of a signal that ended it is negative."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Forked:
    """A process that is ready to begin."""

    process: ForkServerProcess
    signals: Connection
    outputs: tuple[Path, Path]

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def go(self) -> None:
        """Let it begin."""
        self.signals.send(None)

    def end(self) -> Ended:
        """Wait for its end."""
        self.process.join(_DEADLINE_S)
        assert self.process.exitcode is not None, "it does not end"
        stdout, stderr = (path.read_text() for path in self.outputs)
        return Ended(self.process.exitcode, stdout, stderr)


@contextmanager
def forked(program: Program, *arguments: str, home: Path, outputs: Path) -> Iterator[Forked]:
    """Fork a process for a program on the store at ``home``; its output goes into files of the folder ``outputs``."""
    ours, theirs = _CONTEXT.Pipe()
    places = outputs / "stdout", outputs / "stderr"
    process = _CONTEXT.Process(target=_be, args=(program, arguments, str(home), places, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        assert ours.poll(_DEADLINE_S), "it does not get ready"
        ours.recv()
        yield Forked(process, ours, places)
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()


def _be(
    program: Program, arguments: tuple[str, ...], home: str, places: tuple[Path, Path], signals: Connection
) -> None:
    for number, place in enumerate(places, start=1):
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ["AERJOB_HOME"] = home
    signals.send(None)
    signals.recv()
    os._exit(program(*arguments))
