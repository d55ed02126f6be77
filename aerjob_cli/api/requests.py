"""What callers hand in: circuits as bytes, and what is to be done with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from aerjob_cli.frozen import dataclass
from aerjob_cli.plugins.discovery import simulator_named


@dataclass(frozen=True)
class CircuitBytes:
    """Circuits as they were handed in, or what they are run with: a name for people, a format tag, the bytes.

    ``identity`` is a checksum of what they mean, where other bytes may mean the same.
    """

    name: str
    format: str
    data: bytes
    identity: str | None = None


@dataclass(frozen=True)
class Plan:
    """What checking the circuits has found; a request without one is validated by an executor."""

    experiments_total: int
    threads: int
    estimated_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    """One job to be. ``seed`` from 0 to 2^63 − 1 or None to draw one; ``max_memory_mb`` in MiB.

    ``shots`` None leaves them to the simulator. ``beside`` is what the circuits are run with: noise, a sweep. Jobs to
    start ``after`` are named by ids, prefixes or ``last``, or are job objects; ``begin`` is a time, or microseconds
    since 1970. With ``reuse`` the stored result of an earlier job will do that was asked for the same. ``on_end`` is a
    command for a shell.
    """

    circuits: tuple[CircuitBytes, ...]
    backend: str
    beside: tuple[CircuitBytes, ...] = ()
    shots: int | None = None
    seed: int | None = None
    memory: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    tags: Iterable[str] = ()
    group: str | None = None
    priority: int = 0
    time_limit_s: float | None = None
    max_memory_mb: int | None = None
    max_attempts: int = 3
    idempotency_key: str | None = None
    after: Iterable[Any] = ()
    after_ok: Iterable[Any] = ()
    after_any: Iterable[Any] = ()
    hold: bool = False
    begin: datetime | int | None = None
    reuse: bool = False
    # What its experiments are called, where their result may have been stored by other names.
    experiment_names: tuple[str, ...] | None = None
    on_end: str | None = None
    plan: Plan | None = None
    # Set by ``request_checks``, which knows what it has passed.
    is_checked: bool = False

    @property
    def method(self) -> str:
        """The simulation method that was asked for, else the simulator's own; raises ``UnknownBackend``."""
        return str(self.options.get("method") or simulator_named(self.backend).method)
