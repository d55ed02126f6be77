"""Jobs of another store as they come into this one. They have ended, and nobody will ever run them here."""

from __future__ import annotations

from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Reason, Status
from aerjob_cli.store.records import EventRecord, RanExperiment, Runtime, Submission


@dataclass(frozen=True, slots=True)
class End:
    """What became of a job; times in microseconds since 1970, UTC."""

    status: Status
    reason: Reason | None
    message: str | None
    stderr_tail: str | None
    error_line: int | None
    error_column: int | None
    cancel_message: str | None
    cancel_requested_us: int | None
    engine: str | None
    experiments_done: int
    validations: int
    attempt: int
    attempts_charged: int
    submitted_us: int
    started_us: int | None
    finished_us: int
    reused_from: str | None
    # When what is not there any more was removed where the job comes from.
    results_pruned_us: int | None
    circuits_pruned_us: int | None


@dataclass(frozen=True, slots=True)
class ImportedJob:
    """A job of another store, without the bytes of its payloads, results and arrays.

    The numbers of its history are those of the moves from 0.
    """

    asked: Submission
    end: End
    history: tuple[EventRecord, ...]
    results: tuple[RanExperiment, ...]
    runtimes: tuple[Runtime, ...]

    @property
    def job_id(self) -> str:
        return self.asked.job_id
