"""What this worker holds: a claimed job, where it is, and why its executor is being ended, if it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from aerjob_cli.executors.pool import Executor
from aerjob_cli.states import Status
from aerjob_cli.store.records import Claim, JobRecord
from aerjob_cli.worker.orders import Order
from aerjob_cli.worker.outcomes import GivenBack, Outcome, ValidationReturned

_WORTH_LOOKING_AT_S = 0.5


@dataclass
class Holding:
    """One claimed job in the hands of one executor, which may have others before it."""

    job: JobRecord
    claim: Claim
    executor: Executor
    begun_s: float  # infinite while the executor is still being started, or works on what it was sent before
    limit_s: float | None
    memory_limit_bytes: int
    # Positions of the experiments that have no result yet.
    awaited: set[int] = field(default_factory=set)
    # Processes that the system had killed for want of memory when the executor was sent the job.
    oom_kills_before: int = 0
    # What is written when the executor is gone; set when the worker ends it on purpose.
    ending: Outcome | None = None
    base_rss_bytes: int | None = None
    # Whether the store says which process runs the job.
    executor_is_noted: bool = False
    # What the executor was sent, for another one that may have to be sent it.
    order: Order | None = None

    @property
    def ticket(self) -> str:
        """Name the claim in messages, so that a late answer is not taken for this job's."""
        return ticket_of(self.claim)

    @property
    def is_validation(self) -> bool:
        return self.claim.status is Status.VALIDATING

    @property
    def shares_calls(self) -> bool:
        """Tell whether it may run in one call with other jobs."""
        return self.order is not None and self.order.shares > 0

    @property
    def note_due_s(self) -> float:
        """When its executor is to be noted: most jobs end before anybody can look, and cost no write for it."""
        is_wanted = not (self.is_validation or self.executor_is_noted or self.ending is not None)
        return self.begun_s + _WORTH_LOOKING_AT_S if is_wanted else math.inf

    def stopped(self, why: str) -> Outcome:
        """Give the outcome of a job that is ended through no fault of its own."""
        return ValidationReturned(None) if self.is_validation else GivenBack(why)

    @property
    def deadline_s(self) -> float | None:
        return None if self.limit_s is None else self.begun_s + self.limit_s


def ticket_of(claim: Claim) -> str:
    """Give the name of a claim in messages."""
    return f"{claim.token}:{claim.job_id}"
