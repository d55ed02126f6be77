"""A process that looks at the store for the soak, so that the one that forks clients need not open it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aerjob_cli.clock import boot_id
from aerjob_cli.errors import AerjobError
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import PENDING, Status
from aerjob_cli.store import overview, workers
from aerjob_cli.store.database import Store
from aerjob_cli.store.listing import JobFilter, listed
from aerjob_cli.store.records import WorkerRecord
from benchmarks.soak.clients import Post, Work
from benchmarks.soak.journal import Entry
from benchmarks.soak.processes import Process

_LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class WorkerSeen:
    """A worker that has not written its end: its own process, its template and its executors."""

    process: Process
    template: Process | None
    executors: tuple[Process, ...]

    @property
    def family(self) -> list[Process]:
        return [self.process, *([] if self.template is None else [self.template]), *self.executors]


@dataclass(frozen=True)
class Sight:
    """What was seen in the store at one time."""

    at_s: float
    workers: tuple[WorkerSeen, ...]
    jobs: dict[str, int]
    attempt: int  # the highest that any running job is at

    @property
    def pending(self) -> int:
        return sum(count for status, count in self.jobs.items() if status in PENDING)

    @classmethod
    def of(cls, entry: Entry) -> Sight:
        workers_seen = tuple(_worker(item) for item in entry["workers"])
        return cls(entry["at_s"], workers_seen, entry["jobs"], entry["attempt"])


def observe() -> Work:
    """Tell the parent again and again what is in the store, from when it is there."""

    def work(post: Post, home: Path) -> None:
        paths = StorePaths(home)
        while not paths.database.exists():
            time.sleep(_LOOK_EVERY_S)
        store: Store | None = None
        while True:
            try:
                store = store or Store.open(paths)
                post.tell("sight", **_look(store))
            except AerjobError:
                store = None
            time.sleep(_LOOK_EVERY_S)

    return work


def _look(store: Store) -> dict[str, Any]:
    at_s = time.monotonic()
    with store.reading() as tx:
        alive = workers.alive(tx)
        pending = listed(tx, JobFilter(statuses=tuple(PENDING)))
        counts = Counter(str(job.status) for job in pending)
        counts |= {str(status): count for status, count in overview.count_ended(tx).items()}
    here = boot_id()
    return {
        "at_s": at_s,
        "workers": [_written(item) for item in alive if item.boot_id == here],
        "jobs": dict(counts),
        "attempt": max((job.attempt for job in pending if job.status is Status.RUNNING), default=1),
    }


def _written(worker: WorkerRecord) -> list[list[Any]]:
    # The template is written down before its executors.
    return [[worker.pid, worker.pid_started], *([child.pid, child.started] for child in worker.children)]


def _worker(written: list[list[Any]]) -> WorkerSeen:
    first, *others = [Process(pid, started) for pid, started in written]
    return WorkerSeen(first, others[0] if others else None, tuple(others[1:]))
