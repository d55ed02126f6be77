"""What a service manager is told about the worker of one store, and what it is asked. How, its own module knows."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Protocol

from aerjob_cli.frozen import dataclass

_HASH_CHARACTERS = 8


@dataclass(frozen=True)
class Definition:
    """The process that the service is: which Python, for which store, with which options of `worker run`."""

    home: Path
    python: Path
    options: tuple[str, ...]
    drain_grace_s: float

    @property
    def command(self) -> tuple[str, ...]:
        """What is run: it waits for its turn where another worker is, and never leaves for want of work."""
        fixed = ("-P", "-m", "aerjob_cli", "worker", "run", "--take-over", "--idle-exit=0")
        return (str(self.python), *fixed, *self.options)


@dataclass(frozen=True)
class Change:
    """What became of an order to enable or to disable, and what the user may still want to do.

    ``problem`` says why the service does not run although it should.
    """

    outcome: str
    started: bool = False
    hints: tuple[str, ...] = ()
    problem: str | None = None


class Service(Protocol):
    """The service of one store."""

    @property
    def manager(self) -> str:
        """The name of the service manager."""
        ...

    @property
    def name(self) -> str:
        """What the service manager calls the service."""
        ...

    @property
    def path(self) -> Path:
        """The file that describes the service to the manager."""
        ...

    @property
    def logs(self) -> str | None:
        """The command that shows the log, where that is not the store's file."""
        ...

    @property
    def start_line(self) -> str:
        """The command that starts a service that is enabled and does not run."""
        ...

    def described(self, definition: Definition) -> str:
        """Give the content of that file. Raises ``UsageError`` for a path that it cannot hold."""
        ...

    def enable(self, definition: Definition) -> Change:
        """Write the file, have the manager start the service now and from now on; again without effect if it runs."""
        ...

    def disable(self) -> Change:
        """Stop the service and remove the file; without effect if there is none."""
        ...

    def halt(self) -> bool:
        """Have the manager not start it again before the next login; return False where that could not be said."""
        ...

    def is_enabled(self) -> bool:
        """Tell whether it starts by itself, without asking the manager."""
        ...

    def runs(self, pid: int) -> bool | None:
        """Tell whether that process is the service's; None where the system does not say."""
        ...


def stem_for(home: Path, default_home: Path) -> str:
    """Name the service of a store: one for each store, and a plain name for the usual place."""
    place = os.path.realpath(home)
    if place == os.path.realpath(default_home):
        return "aerjob-worker"
    return f"aerjob-worker-{hashlib.sha256(os.fsencode(place)).hexdigest()[:_HASH_CHARACTERS]}"
