"""How a soak divides its faults and its work. The numbers are shares, rates per second and seconds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any


class UnknownMix(ValueError):
    """A mix names what there is not, or gives it no number."""


@dataclass(frozen=True)
class Mix:
    """The stated mix of faults, and the jobs that they meet."""

    # Which process a SIGKILL hits. A client is a submitter, a waiter or a canceller; `all` is the worker, its template
    # and its executors within a millisecond, and each counts.
    kills: dict[str, float] = field(
        default_factory=lambda: {
            "executor": 60,
            "submitter": 18,
            "waiter": 11,
            "canceller": 5,
            "command": 1,
            "worker": 3,
            "template": 1.7,
            "all": 0.3,
        }
    )
    kills_per_s: float = 6.0
    # SIGSTOP, and SIGCONT after this long; a short lease runs out in some of the long ones.
    stops: dict[str, float] = field(default_factory=lambda: {"worker": 50, "executor": 50})
    stops_per_s: float = 0.2
    stop_s: tuple[float, float] = (0.1, 2.0)
    long_stop_s: tuple[float, float] = (3.0, 6.0)
    long_stops: float = 0.25
    short_lease_s: int = 2
    short_leases: float = 0.4
    # The disk is full this often, for this long.
    full_disks_per_s: float = 1 / 45
    full_disk_s: tuple[float, float] = (0.5, 3.0)
    # Room for what is submitted: each kill has about one job, and those take 40 KB in the mean.
    disk_mib: int = 256
    disk_mib_per_1000_kills: int = 64
    # What is submitted.
    jobs: dict[str, float] = field(
        default_factory=lambda: {
            "text": 34,
            "python": 33,
            "three-attempts": 10,
            "many": 7,
            "states": 8,
            "long": 3,
            "endless": 1,
            "refused": 4,
        }
    )
    variants: int = 12  # circuits of each kind; each has its own seed
    cancelled: float = 0.1
    keyed: float = 0.7
    commands: float = 0.04  # of the clients, real `aerjob` processes
    pending_jobs: int = 12  # so many are kept waiting

    def changed(self, changes: list[str]) -> Mix:
        """Give the mix with ``NAME=VALUE`` applied; a share of a table is named ``kills.worker``."""
        mix = self
        for change in changes:
            name, _, text = change.partition("=")
            table, _, entry = name.partition(".")
            known = asdict(mix)
            try:
                value = json.loads(text)
                old = known[table][entry] if entry else known[table]
            except (KeyError, TypeError, ValueError):
                raise UnknownMix(f"{change!r} names nothing of the mix; it has {', '.join(known)}") from None
            if isinstance(old, (int, float)) != isinstance(value, (int, float)) or isinstance(old, dict):
                raise UnknownMix(f"{change!r} does not fit what {name} is now: {json.dumps(old)}")
            if isinstance(old, tuple):  # JSON has lists only
                value = tuple(value)
            changes_of_mix: dict[str, Any] = {table: {**known[table], entry: value} if entry else value}
            mix = replace(mix, **changes_of_mix)
        return mix

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Mix:
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**fields)
