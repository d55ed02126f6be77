"""What holding a job can end in, each with its own data, and how those are written that come one at a time.

Every write is guarded by the claim. It answers whether it landed; one that did not is only ever logged. Verdicts,
results and good ends come in numbers, and `outbox` writes many at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from aerjob_cli.states import Reason
from aerjob_cli.store import lifecycle
from aerjob_cli.store.records import Claim, ExperimentRecord


@dataclass(frozen=True)
class Accepted:
    """The circuits can run."""

    experiments_total: int
    threads: int
    estimated_bytes: int | None = None


@dataclass(frozen=True)
class Chunk:
    """Results of some experiments; the job goes on."""

    results: tuple[ExperimentRecord, ...]


@dataclass(frozen=True)
class Done:
    """All experiments have run."""

    engine: str


@dataclass(frozen=True)
class Failed:
    """The job cannot succeed, however often it is tried.

    ``line`` and ``column`` count from 1 in the submitted text, None where nobody knows them.
    """

    reason: Reason
    message: str
    stderr_tail: str | None = None
    line: int | None = None
    column: int | None = None

    def write(self, tx: Connection, held: Claim, now_us: int) -> bool:
        return lifecycle.fail(
            tx,
            held,
            self.reason,
            self.message,
            stderr_tail=self.stderr_tail,
            now_us=now_us,
            line=self.line,
            column=self.column,
        )


@dataclass(frozen=True)
class Crashed:
    """The executor died; another attempt may do better."""

    reason: Reason
    message: str
    stderr_tail: str | None

    def write(self, tx: Connection, held: Claim, now_us: int) -> bool:
        return lifecycle.crash(tx, held, self.reason, self.message, stderr_tail=self.stderr_tail, now_us=now_us)


@dataclass(frozen=True)
class Cancelled:
    """Somebody wanted it ended, and its executor is gone."""

    def write(self, tx: Connection, held: Claim, now_us: int) -> bool:
        return lifecycle.cancel_held(tx, held, now_us=now_us)


@dataclass(frozen=True)
class GivenBack:
    """The worker stops before the job has ended; this attempt is not charged."""

    why: str

    def write(self, tx: Connection, held: Claim, now_us: int) -> bool:
        return lifecycle.give_back(tx, held, why=self.why, now_us=now_us)


@dataclass(frozen=True)
class PutBack:
    """No executor has begun the job: this was no attempt."""

    why: str

    def write(self, tx: Connection, held: Claim, now_us: int) -> bool:
        return lifecycle.put_back(tx, held, why=self.why, now_us=now_us)


@dataclass(frozen=True)
class ValidationReturned:
    """No verdict; ``message`` says what the validator died of, None when it was stopped by order."""

    message: str | None

    def write(self, tx: Connection, held: Claim, now_us: int) -> bool:
        return lifecycle.return_validation(tx, held, message=self.message, now_us=now_us)


Outcome = Accepted | Chunk | Done | Failed | Crashed | Cancelled | GivenBack | PutBack | ValidationReturned
