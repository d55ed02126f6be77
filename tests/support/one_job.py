"""What `deliveries` writes for many jobs, for one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from aerjob_cli.store import deliveries
from aerjob_cli.store.records import Claim, ExperimentRecord


def accept(tx: Connection, held: Claim, *, experiments_total: int, threads: int, now_us: int) -> bool:
    """VALIDATING → QUEUED; return whether it landed."""
    return bool(deliveries.accept(tx, [(held, experiments_total, threads, None)], now_us=now_us))


def record_experiments(tx: Connection, held: Claim, results: Sequence[ExperimentRecord]) -> bool:
    """Store results of the running attempt; return whether they landed."""
    return bool(deliveries.record(tx, [(held, results)]))


def finish(tx: Connection, held: Claim, *, engine: str, now_us: int) -> bool:
    """RUNNING → DONE; return whether it landed."""
    return bool(deliveries.finish(tx, [(held, engine)], now_us=now_us))
