"""What each executor runs with, and which of that the store does not know yet.

Nearly all executors of a worker run with the same, so that it is written once, in a transaction that is there anyway.
"""

from __future__ import annotations

from sqlalchemy import Connection

from aerjob_cli.executors.messages import Message
from aerjob_cli.executors.pool import Executor
from aerjob_cli.store import runtimes
from aerjob_cli.store.records import Runtime
from aerjob_cli.worker.answers import runtime_in


class Runtimes:
    """The runtimes of a worker's executors."""

    def __init__(self) -> None:
        self._of_executors: dict[int, str] = {}
        self._unwritten: dict[str, Runtime] = {}
        self._written: set[str] = set()

    def learn(self, executor: Executor, message: Message) -> str | None:
        """Take in what an executor says before it has seen a job; give the id of its runtime, if it says."""
        runtime = runtime_in(message)
        if runtime is None:
            return None
        self._of_executors[executor.serial] = runtime.runtime_id
        if runtime.runtime_id not in self._written:
            self._unwritten[runtime.runtime_id] = runtime
        return runtime.runtime_id

    def of(self, executor: Executor) -> str | None:
        """Give the id of what an executor runs with, None where it has not said."""
        return self._of_executors.get(executor.serial)

    def forget(self, executor: Executor) -> None:
        """Count on this one no more."""
        self._of_executors.pop(executor.serial, None)

    def write(self, tx: Connection) -> None:
        """Write down what the store does not know; for the transaction that first refers to it."""
        for runtime in self._unwritten.values():
            runtimes.note(tx, runtime)

    def note_written(self) -> None:
        """Remember that the transaction of ``write`` was committed."""
        self._written |= self._unwritten.keys()
        self._unwritten.clear()
