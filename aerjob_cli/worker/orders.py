"""What an executor is told to do: a claimed job, as a message with its circuits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from aerjob_cli.codec.envelope import CIRCUIT_FORMATS
from aerjob_cli.executors.messages import Source
from aerjob_cli.executors.specs import spec_of
from aerjob_cli.memory import MIB, counted_bytes, usable_memory_mb
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store.experiments import missing_ranges
from aerjob_cli.store.objects import object_path
from aerjob_cli.store.records import ClaimedJob, JobRecord, Payload
from aerjob_cli.store.submissions import payloads_of_many

_EXPERIMENTS_THAT_SHARE = 16


@dataclass(frozen=True)
class Order:
    """One claimed job, ready to be sent."""

    claimed: ClaimedJob
    sources: tuple[Source, ...]
    bodies: tuple[bytes, ...]
    missing: tuple[tuple[int, int], ...]
    memory_limit_bytes: int
    # How many experiments it has, if it may run in one call with other jobs; else 0.
    shares: int

    @property
    def is_validation(self) -> bool:
        return self.claimed.claim.status is Status.VALIDATING

    @property
    def is_light(self) -> bool:
        """Tell whether it is for one thread and little memory, and so may wait behind others for a moment."""
        job = self.claimed.job
        return self.is_validation or (job.threads == 1 and not counted_bytes(job.estimated_bytes))

    def header(self, ticket: str, *, incoming: Path) -> dict[str, Any]:
        """Make the header of the message, in the form that `executors.messages` documents."""
        return {
            "kind": "validate" if self.is_validation else "run",
            "ticket": ticket,
            "job": spec_of(self.claimed.job, max_memory_mb=self.memory_limit_bytes // MIB),
            "sources": self.sources,
            "missing": self.missing,
            "incoming": str(incoming),
            "shares": self.shares,
        }


def orders_for(
    tx: Connection, claimed: Sequence[ClaimedJob], paths: StorePaths, *, alone: Collection[int]
) -> list[Order]:
    """Collect what executors need to validate or run claimed jobs, each from its first missing experiment on.

    ``alone`` are the sequence numbers of those that share no call.
    """
    if not claimed:
        return []
    payloads = payloads_of_many(tx, [item.job.seq for item in claimed])
    machine_mb = usable_memory_mb()
    return [
        _order(tx, item, payloads.get(item.job.seq, []), paths, machine_mb, may_share=item.job.seq not in alone)
        for item in claimed
    ]


def _order(
    tx: Connection,
    claimed: ClaimedJob,
    payloads: Sequence[Payload],
    paths: StorePaths,
    machine_mb: int,
    *,
    may_share: bool,
) -> Order:
    sources, bodies, offset = [], [], 0
    for payload in payloads:
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
    job = claimed.job
    total = job.experiments_total
    if total is None:
        missing: tuple[tuple[int, int], ...] = ()
    elif not job.experiments_done:
        missing = ((0, total),)
    else:
        missing = tuple(missing_ranges(tx, job.seq, total))
    return Order(
        claimed=claimed,
        sources=tuple(sources),
        bodies=tuple(bodies),
        missing=missing,
        memory_limit_bytes=min(job.max_memory_mb or machine_mb, machine_mb) * MIB,
        shares=total if may_share and total is not None and _is_plain(job, payloads, total) else 0,
    )


def _is_plain(job: JobRecord, payloads: Sequence[Payload], total: int) -> bool:
    """Tell whether a job is of circuits alone, not begun yet, and without limits that would need a call of its own."""
    is_limited = job.time_limit_s is not None or job.max_memory_mb is not None or job.threads != 1
    is_limited |= counted_bytes(job.estimated_bytes) > 0
    if is_limited or job.experiments_done or total > _EXPERIMENTS_THAT_SHARE:
        return False
    return all(payload.data is not None and payload.format in CIRCUIT_FORMATS for payload in payloads)
