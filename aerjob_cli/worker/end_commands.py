"""Running the commands of jobs that have ended: each once, a few at a time, beside all else that the worker does.

They are marked as begun, durably, before they are started, and never begun again: of a worker that is killed in between
the next one says that they are lost. What comes of them is written with the next ones that begin.
"""

from __future__ import annotations

import math
import selectors

from sqlalchemy import Connection

from aerjob_cli.errors import StoreBusy, StoreFailing, StoreFull
from aerjob_cli.settings import WorkerSettings
from aerjob_cli.store import end_commands
from aerjob_cli.store.database import Store
from aerjob_cli.store.end_commands import DueCommand, Finished
from aerjob_cli.store.flocks import Flock
from aerjob_cli.store.jobs import is_any_command_due
from aerjob_cli.worker import journal
from aerjob_cli.worker.command_process import CommandProcess

RUN_AT_ONCE = 4
STOPPED = "killed: the worker was stopped"
_TROUBLE_PAUSE_S = 0.25


class EndCommands:
    """The commands that are due, as far as the worker knows, and those that it runs."""

    def __init__(
        self, *, worker_id: str, store: Store, lock: Flock, settings: WorkerSettings, selector: selectors.BaseSelector
    ) -> None:
        self._worker_id = worker_id
        self._store = store
        self._lock = lock
        self._limit_s = settings.on_end_limit_s
        self._selector = selector
        self._running: list[CommandProcess] = []
        self._finished: list[Finished] = []
        self._may_be_due = False
        self._begins = True
        self._trouble_until_s = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether none runs, none that is known of will, and what came of all is written."""
        return not (self._running or self._finished or (self._begins and self._may_be_due))

    def look(self, tx: Connection) -> None:
        """Find out whether any is due, since jobs have ended."""
        self._may_be_due = is_any_command_due(tx)

    def stop_beginning(self) -> None:
        """Leave those that are due to the next worker."""
        self._begins = False

    def due_s(self) -> float:
        """Say when there is something to do next, if nobody wakes the loop before."""
        now_s = self._store.clock.monotonic_s()
        times = [process.due_s(now_s) for process in self._running]
        if self._finished or self._may_begin:
            times.append(self._trouble_until_s)
        return min(times, default=math.inf)

    def turn(self) -> None:
        """Do what is due: begin commands, end those whose time is over, write down what came of them."""
        now_s = self._store.clock.monotonic_s()
        for process in self._running:
            process.attend(now_s)
        self._collect()
        if now_s < self._trouble_until_s or not (self._finished or self._may_begin):
            return
        room = RUN_AT_ONCE - len(self._running) if self._may_begin else 0
        if room and not self._lock.is_still_named():
            # Another worker has taken over, of which the next beat tells.
            self.stop_beginning()
            return
        try:
            with self._store.writing_directly() as tx:
                end_commands.finish(tx, self._worker_id, self._finished)
                begun = end_commands.begin(tx, self._worker_id, limit=room, now_us=self._store.now_us()) if room else []
        except (StoreBusy, StoreFull, StoreFailing) as error:
            journal.store_trouble(str(error))
            self._trouble_until_s = now_s + _TROUBLE_PAUSE_S
            return
        self._finished = []
        if len(begun) < room:
            self._may_be_due = False
        for due in begun:
            self._start(due)

    def end_all(self, why: str) -> None:
        """Kill those that run, and begin none; what came of them is written when they have ended."""
        self._begins = False
        for process in self._running:
            process.kill(why)

    def buried(self, pid: int, status: int) -> None:
        """Hear of a process that was reaped by the worker as the first one of a container."""
        for process in self._running:
            if process.pid == pid:
                process.buried(status)

    @property
    def _may_begin(self) -> bool:
        return self._begins and self._may_be_due and len(self._running) < RUN_AT_ONCE

    def _start(self, due: DueCommand) -> None:
        now_s = self._store.clock.monotonic_s()
        try:
            process = CommandProcess(due, self._store.paths, self._selector, now_s=now_s, limit_s=self._limit_s)
        except OSError as error:
            self._note(due, f"could not be started: {error.strerror}")
            return
        journal.command_began(due.job_id, process.pid)
        self._running.append(process)

    def _collect(self) -> None:
        for process in self._running:
            if process.outcome is not None:
                self._note(process.due, process.outcome)
        self._running = [process for process in self._running if process.outcome is None]

    def _note(self, due: DueCommand, outcome: str) -> None:
        journal.command_finished(due.job_id, outcome)
        self._finished.append(Finished(due.job_seq, outcome, self._store.now_us()))
