"""What is asked of a store: by commands, and by the questions to the store behind them.

A question is asked in this process, where no start of Python hides what it takes; what it gives is thrown away.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from aerjob_cli.states import Reason, Status
from aerjob_cli.store import claims
from aerjob_cli.store.listing import JobFilter
from aerjob_cli.store.records import JobRecord
from benchmarks.figures.children import aerjob, environment, spent_by
from benchmarks.site import Site
from benchmarks.stores import ONCE

_PAGE = 20
_WAITED_FOR = 1000
_CLAIMED = 16

_FILTERS = {
    "": JobFilter(),
    " --status error": JobFilter(statuses=(Status.ERROR,)),
    " --status queued": JobFilter(statuses=(Status.QUEUED,)),
    " --status running": JobFilter(statuses=(Status.RUNNING,)),
    " --reason invalid_circuit": JobFilter(reasons=(Reason.INVALID_CIRCUIT,)),
    " --reason timed_out": JobFilter(reasons=(Reason.TIMED_OUT,)),  # none has it
    " --tag nightly": JobFilter(tags=("nightly",)),
    " --tag once": JobFilter(tags=(ONCE,)),
    " --group once": JobFilter(group=ONCE),
    " --name rare": JobFilter(name="rare"),
    " --name once": JobFilter(name=ONCE),
    " --name onc*": JobFilter(name="onc*"),
    " --backend statevector_simulator": JobFilter(backend="statevector_simulator"),
    " --backend unitary_simulator": JobFilter(backend="unitary_simulator"),  # none has it
}
# By how many jobs from the last one: there is one a second.
_TIMES = {" --since the 300th last": -300, " --since after all": 10, " --until the 600th last": -600}
COMMANDS = ("status", "show", "wait on 1000 ids", *(f"list -n 20{name}" for name in (*_FILTERS, *_TIMES)))
QUESTIONS = (*COMMANDS, "queue position", "claim")


class _Rollback(Exception):
    """Takes back what was only tried."""


class Questions:
    """What is asked of one store."""

    def __init__(self, home: Path, source: random.Random) -> None:
        self._site = Site(home)
        self._source = source
        self._env = environment(home)
        client = self._site.client
        # The doorbell is answered, so that nobody starts a worker for the jobs that queue.
        os.mkfifo(client.store.paths.doorbell, 0o600)
        self._bell = os.open(client.store.paths.doorbell, os.O_RDWR | os.O_NONBLOCK)
        with client.store.reading() as tx:
            rows = tx.exec_driver_sql("SELECT job_id FROM jobs WHERE status = 'DONE' ORDER BY seq").scalars().all()
        self._ids: Sequence[str] = rows
        self._waited_for = client.resolve(self._source.sample(list(rows), min(_WAITED_FOR, len(rows))))
        (self._last,) = client.listed(JobFilter(), limit=1)

    def commands(self) -> dict[str, Callable[[], float]]:
        """Give the commands, each of which runs and tells its CPU time."""
        arguments: dict[str, Callable[[], list[str]]] = {
            "status": lambda: ["status", self._an_id()],
            "show": lambda: ["show", self._an_id()],
            "wait on 1000 ids": lambda: ["wait", "--quiet", *(job.job_id for job in self._waited_for)],
        }
        page = ["list", "-n", str(_PAGE)]
        for name in _FILTERS:
            arguments[f"list -n 20{name}"] = _always([*page, *name.split()])
        for name, jobs in _TIMES.items():
            arguments[f"list -n 20{name}"] = _always([*page, name.split()[0], self._moment(jobs).isoformat()])
        return {name: self._command(given) for name, given in arguments.items()}

    def questions(self) -> dict[str, Callable[[], float]]:
        """Give the questions, each of which is asked and tells its CPU time."""
        client = self._site.client
        asked: dict[str, Callable[[], object]] = {
            "status": lambda: client.resolve([self._an_id()]),
            "show": self._show,
            "wait on 1000 ids": lambda: list(client.wait(self._waited_for, timeout_s=None)),
            "queue position": lambda: client.queue_position(self._last),
            "claim": self._claim,
        }
        for name, wanted in _FILTERS.items():
            asked[f"list -n 20{name}"] = self._list(wanted)
        for name, jobs in _TIMES.items():
            moment_us = round(self._moment(jobs).timestamp() * 1_000_000)
            wanted = JobFilter(since_us=moment_us) if "since" in name else JobFilter(until_us=moment_us)
            asked[f"list -n 20{name}"] = self._list(wanted)
        return {name: _timed(ask) for name, ask in asked.items()}

    def close(self) -> None:
        """Close the store."""
        os.close(self._bell)
        self._site.client.close()

    def _an_id(self) -> str:
        return self._source.choice(self._ids)

    def _moment(self, jobs: int) -> datetime:
        return self._last.submitted_at + timedelta(seconds=jobs)

    def _command(self, given: Callable[[], list[str]]) -> Callable[[], float]:
        return lambda: spent_by(aerjob(*given()), self._env).cpu_s

    def _list(self, wanted: JobFilter) -> Callable[[], list[JobRecord]]:
        client = self._site.client

        def ask() -> list[JobRecord]:
            found = client.listed(wanted, limit=_PAGE)
            client.short_ids(found)
            return found

        return ask

    def _show(self) -> object:
        client = self._site.client
        (record,) = client.resolve([self._an_id()])
        return client.payloads(record), list(client.results(record))

    def _claim(self) -> None:
        store = self._site.store
        try:
            with store.writing() as tx:
                claims.claim(tx, "benchmark", limit=_CLAIMED, now_us=store.now_us())
                raise _Rollback
        except _Rollback:
            return


def _timed(ask: Callable[[], object]) -> Callable[[], float]:
    def timed() -> float:
        began_s = time.process_time()
        ask()
        return time.process_time() - began_s

    return timed


def _always(arguments: list[str]) -> Callable[[], list[str]]:
    return lambda: arguments
