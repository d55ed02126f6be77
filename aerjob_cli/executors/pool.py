"""What a worker asks of a pool of executors, and what it is told; local now, a cluster later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from selectors import BaseSelector
from typing import Any, Protocol

from aerjob_cli.executors.messages import Message


class Executor(Protocol):
    """One process that runs experiments, for one job after the other or for small ones together."""

    @property
    def serial(self) -> int:
        """Number executors in the order in which they were asked for."""
        ...

    @property
    def pid(self) -> int | None:
        """Give the pid, None before it is known."""
        ...

    @property
    def scratch(self) -> Path:
        """Give the folder in which it writes large results; it is removed after the executor."""
        ...


@dataclass(frozen=True)
class Started:
    """The pool can make executors now, of these versions of Qiskit and Aer."""

    versions: dict[str, str]


@dataclass(frozen=True)
class Said:
    """An executor has sent a whole message."""

    executor: Executor
    message: Message


@dataclass(frozen=True)
class Ended:
    """An executor is no more.

    ``code`` is its exit code, negative for a signal, or None when nobody saw it end. ``fault`` says what it did wrong
    before, if it was ended for that, or why it could not begin. ``unbegun`` are the tickets of what it was sent and
    never began.
    """

    executor: Executor
    code: int | None
    fault: str | None
    stderr_tail: str
    unbegun: frozenset[str] = frozenset()


PoolEvent = Started | Said | Ended


class Pool(Protocol):
    """A source of executors. Nothing here blocks; what happened is told by ``poll``."""

    @property
    def is_broken(self) -> bool:
        """Tell whether no executor can be made, and trying again is of no use."""
        ...

    @property
    def why_broken(self) -> str | None:
        """Say what keeps executors from being made, None where nobody knows."""
        ...

    def attach(self, selector: BaseSelector) -> None:
        """Register with the loop of the worker: the data of each key is a function without arguments to call."""
        ...

    def start(self) -> None:
        """Begin to be able to make executors."""
        ...

    def fork(self) -> Executor:
        """Ask for a new executor; it can be sent to at once."""
        ...

    def send(self, executor: Executor, header: dict[str, Any], bodies: Sequence[bytes] = ()) -> None:
        """Have a job sent, which is begun after those that were sent before it; the header has its ``ticket``."""
        ...

    def push(self) -> None:
        """Send what there is to send, as far as executors read now; what is left goes when they do."""
        ...

    def withdraw(self, executor: Executor) -> frozenset[str]:
        """Take back what an executor was sent and has not begun: it never will; give the tickets."""
        ...

    def forget(self, executor: Executor, ticket: str) -> None:
        """Keep nothing more of a job that has ended."""
        ...

    def kill(self, executor: Executor) -> None:
        """End an executor and all it has started, for certain; ``Ended`` will tell when."""
        ...

    def poll(self) -> list[PoolEvent]:
        """Take what has happened since the last call, in order for each executor."""
        ...

    def children(self) -> tuple[tuple[int, str], ...]:
        """Give pid and start time of every process of the pool that is known to run."""
        ...

    def close(self) -> None:
        """End everything."""
        ...
