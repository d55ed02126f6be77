"""Where the store is, and the intervals and limits that the parts agree on.

Everything is frozen; a test or a command makes an altered copy. The environment is read in one place, here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from pathlib import Path

from aerjob_cli.catalog import DEFAULT_BACKEND
from aerjob_cli.errors import UsageError
from aerjob_cli.frozen import dataclass

# Payloads up to this size live in the database, larger ones in the object folder.
INLINE_LIMIT_BYTES = 256 * 1024
PAYLOAD_LIMIT_BYTES = 16 * 1024 * 1024
CIRCUITS_LIMIT = 100_000
# Of many jobs that are submitted in one go: one commit for so many costs little, and keeps nobody waiting for long.
JOBS_PER_TRANSACTION = 500
# Of those that a command changes by a filter; up to so many, all are changed or none. More are as those above.
JOBS_CHANGED_AT_ONCE = 2000
# A job's place in the queue is counted up to this, for whoever looks again and again; all further back have one place.
QUEUE_COUNTED_TO = 10_000
# In all circuits of one file, the bodies of control flow included. One operation a line of text does not come near.
OPERATIONS_LIMIT = 2_000_000

# What the worker's program answers when another one was there first; 1 is what Python ends with after any accident.
EXIT_ANOTHER_RUNS = 75
# What it answers in the foreground when it ended to make room for another one, without an order to stay away.
EXIT_HANDED_OVER = 76


@dataclass(frozen=True)
class StorePaths:
    """The files of one store, all in one private folder; ``home`` is made absolute, since the worker runs in ``/``."""

    home: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "home", self.home.expanduser().absolute())

    @cached_property
    def database(self) -> Path:
        return self.home / "aerjob.db"

    @cached_property
    def objects(self) -> Path:
        return self.home / "objects"

    @property
    def incoming(self) -> Path:
        """Where object files are written before they get their name."""
        return self.objects / "incoming"

    @cached_property
    def doorbell(self) -> Path:
        return self.home / "doorbell"

    @cached_property
    def gong(self) -> Path:
        return self.home / "gong"

    @property
    def creation_lock(self) -> Path:
        return self.home / "creation.lock"

    @property
    def creation_mark(self) -> Path:
        """There from before a new database has its name until that name is sure to survive a power cut."""
        return self.home / "aerjob.db.unsynced"

    @property
    def starter_lock(self) -> Path:
        return self.home / "starter.lock"

    @property
    def worker_lock(self) -> Path:
        return self.home / "worker.lock"

    @property
    def worker_log(self) -> Path:
        return self.home / "worker.log"


@dataclass(frozen=True)
class WorkerSettings:
    """How a worker behaves; the command `worker run` sets what a user may."""

    slots: int = field(default_factory=lambda: usable_cores())
    idle_exit_s: float = 600.0  # 0 = never
    poll_s: float = 1.0  # a lost ring costs at most this
    lease_s: float = 30.0  # without a heartbeat for this long, another worker may take over
    drain_grace_s: float = 30.0  # how long running jobs may go on after an ordered stop
    validation_limit_s: float = 60.0
    on_end_limit_s: float = 60.0  # how long the command of a job that has ended may run
    jobs_per_executor: int = 4000  # then a fresh one takes its place, so that no leak grows
    memory_check_s: float = 0.1
    max_memory_mb: int | None = None  # of all jobs together; None is what the machine has
    patience_s: float = 30.0  # for so long smaller jobs pass one that waits for memory
    foreground: bool = False
    takes_over: bool = False  # have another worker make room, instead of leaving


@dataclass(frozen=True)
class Settings:
    """What the environment says: the store's place and the defaults of a submission."""

    paths: StorePaths
    backend: str = DEFAULT_BACKEND
    # None leaves it to the simulator.
    shots: int | None = None
    output: str = "text"
    debug: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read ``AERJOB_HOME``, ``AERJOB_BACKEND``, ``AERJOB_SHOTS``, ``AERJOB_OUTPUT`` and ``AERJOB_DEBUG``.

        Raises ``UsageError`` for a value that is none.
        """
        env = os.environ if environment is None else environment
        output = env.get("AERJOB_OUTPUT") or "text"
        if output not in ("text", "json"):
            raise UsageError(f"AERJOB_OUTPUT is {output!r}; it can be text or json")
        return cls(
            paths=StorePaths(_home(env)),
            backend=env.get("AERJOB_BACKEND") or DEFAULT_BACKEND,
            shots=_shots(env.get("AERJOB_SHOTS")),
            output=output,
            debug=env.get("AERJOB_DEBUG", "") not in ("", "0"),
        )


def usable_cores() -> int:
    """Count the cores this process may use (its affinity mask where the system has one)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def default_home() -> Path:
    """Give the place of the store that is meant when none is named: in the user's state folder."""
    from platformdirs import user_state_path

    return user_state_path("aerjob", appauthor=False)


def _home(env: Mapping[str, str]) -> Path:
    named = env.get("AERJOB_HOME")
    return Path(named) if named else default_home()


def _shots(text: str | None) -> int | None:
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"AERJOB_SHOTS is {text!r}; it must be a whole number") from None
