"""What an executor is told to do: a claimed job, as a message with its circuits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from aerjob_cli.executors.messages import Source
from aerjob_cli.executors.specs import spec_of
from aerjob_cli.memory import MIB, usable_memory_mb
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store.experiments import missing_ranges
from aerjob_cli.store.objects import object_path
from aerjob_cli.store.records import ClaimedJob
from aerjob_cli.store.submissions import payloads_of


@dataclass(frozen=True)
class Order:
    """One claimed job, ready to be sent."""

    claimed: ClaimedJob
    sources: tuple[Source, ...]
    bodies: tuple[bytes, ...]
    missing: tuple[tuple[int, int], ...]
    memory_limit_bytes: int

    @property
    def is_validation(self) -> bool:
        return self.claimed.claim.status is Status.VALIDATING

    def header(self, ticket: str, *, incoming: Path) -> dict[str, Any]:
        """Make the header of the message, in the form that `executors.messages` documents."""
        return {
            "kind": "validate" if self.is_validation else "run",
            "ticket": ticket,
            "job": spec_of(self.claimed.job, max_memory_mb=self.memory_limit_bytes // MIB),
            "sources": self.sources,
            "missing": self.missing,
            "incoming": str(incoming),
        }


def order_for(tx: Connection, claimed: ClaimedJob, paths: StorePaths) -> Order:
    """Collect what an executor needs to validate or run a claimed job, from its first missing experiment on."""
    sources, bodies, offset = [], [], 0
    for payload in payloads_of(tx, claimed.job.seq):
        is_object = payload.data is None
        sources.append(
            Source(
                format=payload.format,
                sha256=payload.sha256,
                size_bytes=payload.size_bytes,
                name=payload.name,
                offset=None if is_object else offset,
                path=str(object_path(paths, payload.sha256)) if is_object else None,
            )
        )
        if payload.data is not None:
            bodies.append(payload.data)
            offset += len(payload.data)
    total = claimed.job.experiments_total
    machine_mb = usable_memory_mb()
    return Order(
        claimed=claimed,
        sources=tuple(sources),
        bodies=tuple(bodies),
        missing=() if total is None else tuple(missing_ranges(tx, claimed.job.seq, total)),
        memory_limit_bytes=min(claimed.job.max_memory_mb or machine_mb, machine_mb) * MIB,
    )
