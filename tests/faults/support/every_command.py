"""Each command of `aerjob` with arguments that make it do real work, and the stores that it does it in.

A store is copied from one that was made once: no case sees what another one has done, and each costs milliseconds.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store.flocks import try_flock
from tests.support import command_tree
from tests.support.bundles import refused, write_bundle
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine, end_workers
from tests.support.old_stores import unpack
from tests.support.running import scene_in

# The jobs of the store, by name: one ended well with a result, one failed, one waits in the queue.
ENDED, FAILED, QUEUED = "ended", "failed", "queued"


@dataclass(frozen=True)
class Deed:
    """A command with its arguments; those in braces are the ids of the store's jobs, by name.

    ``may_start_worker`` says that one can be started in its store. ``is_endless`` is a command that only a signal
    ends, and ``is_live`` one that has a live screen on a terminal.
    """

    path: command_tree.Path
    arguments: tuple[str, ...] = ()
    may_start_worker: bool = False
    is_endless: bool = False
    is_live: bool = False
    has_json: bool = True
    needs_old_store: bool = False

    @property
    def name(self) -> str:
        return " ".join((*self.path, *self.arguments))


def _deed(words: str, *arguments: str, **traits: bool) -> Deed:
    return Deed(tuple(words.split()), arguments, **traits)


DEEDS = (
    _deed("submit", "bell.qasm", "bell.qasm", "--tag", "new", may_start_worker=True),
    _deed("submit", "bell.qasm", "--tag", "new", is_endless=True),
    _deed("run", "bell.qasm", "--tag", "new", may_start_worker=True),
    _deed("run", "bell.qasm", "--tag", "new", is_endless=True, is_live=True),
    _deed("wait", "{ended}", "{failed}"),
    _deed("wait", "{ended}", "{queued}", is_endless=True, is_live=True),
    _deed("watch", "--once"),
    _deed("watch", "{queued}", is_endless=True, is_live=True, has_json=False),
    _deed("top", "--once"),
    _deed("top", is_endless=True, is_live=True, has_json=False),
    _deed("status", "{ended}", "{queued}"),
    _deed("list"),
    _deed("show", "{failed}"),
    _deed("show", "{ended}", "--circuit"),
    _deed("cancel", "{queued}"),
    _deed("retry", "{failed}"),
    _deed("rm", "{ended}", "{failed}"),
    _deed("export", "{ended}", "{failed}", "-o", "jobs.zip"),
    _deed("import", "other.zip"),
    _deed("hold", "{queued}"),
    _deed("release", "{queued}"),
    _deed("set", "{queued}", "--priority", "5"),
    _deed("tag", "{ended}", "--add", "more", "--remove", "ended"),
    _deed("result", "{ended}"),
    _deed("result", "{ended}", "--format", "csv", "-o", "result.csv", has_json=False),
    _deed("plot", "{ended}", "-o", "counts.png"),
    _deed("backends"),
    _deed("estimate", "bell.qasm"),
    _deed("explain", "{queued}"),
    _deed("events", "{ended}", "{queued}"),
    _deed("events", "--follow", is_endless=True),
    _deed("version"),
    _deed("doctor"),
    _deed("completion", "bash"),
    _deed("schema"),
    _deed("worker start", may_start_worker=True),
    _deed("worker stop"),
    _deed("worker status"),
    _deed("worker run", "--idle-exit", "0", may_start_worker=True, is_endless=True, has_json=False),
    _deed("worker enable", "--print"),
    _deed("worker disable"),
    _deed("worker logs"),
    _deed("worker logs", "-f", is_endless=True, is_live=True),
    _deed("store info"),
    _deed("store check"),
    _deed("store backup", "backup"),
    _deed("store clean"),
    _deed("store prune", "--older-than", "0s", "--yes"),
    _deed("store upgrade", needs_old_store=True),
)


class Stores:
    """Makes a store for each case, from a template in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._template = folder / "template"
        self._ids = _filled(self._template)

    @contextmanager
    def place_for(self, deed: Deed) -> Iterator[tuple[CommandLine, list[str]]]:
        """Give a command line on a store of its own, and the words of the command; all is ended and gone afterwards."""
        self._count += 1
        folder = self._folder / f"case-{self._count}"
        folder.mkdir()
        home = folder / "home"
        if deed.needs_old_store:
            unpack("0001", home)
        else:
            shutil.copytree(self._template, home, ignore=shutil.ignore_patterns("doorbell", "gong"))
        (folder / "bell.qasm").write_text(BELL)
        write_bundle(folder / "other.zip", [refused(1)])
        release = _nothing if deed.may_start_worker else _without_workers(home)
        try:
            words = [*deed.path, *(argument.format(**self._ids) for argument in deed.arguments)]
            yield CommandLine(home, folder), words
        finally:
            release()
            end_workers(home)
            shutil.rmtree(folder)


def _nothing() -> None:
    pass


def _without_workers(home: Path) -> Callable[[], None]:
    # Who has the starter's lock starts the worker.
    lock = try_flock(StorePaths(home).starter_lock)
    assert lock is not None
    return lock.release


def _filled(home: Path) -> dict[str, str]:
    """Make a store with the jobs, and give their ids."""
    with scene_in(home) as scene:
        bad = BELL.replace("cx q[0],q[1];", "cx q[0],q[7];")
        done, failed = scene.put(scene.request(BELL, name=ENDED, tags=(ENDED,)), scene.request(bad, name=FAILED))
        worker = scene.start_worker()
        scene.wait_for_status(done, Status.DONE)
        scene.wait_for_status(failed, Status.ERROR)
        worker.terminate()
        worker.wait()
        (queued,) = scene.put(scene.request(BELL, name=QUEUED))
    return {ENDED: done.job_id, FAILED: failed.job_id, QUEUED: queued.job_id}
