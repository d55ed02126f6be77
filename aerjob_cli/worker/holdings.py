"""What this worker holds: a claimed job, the executor that has it, and why that executor is being ended, if it is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from aerjob_cli.executors.pool import Executor
from aerjob_cli.states import Status
from aerjob_cli.store.records import Claim, JobRecord
from aerjob_cli.worker.outcomes import Outcome

_WORTH_LOOKING_AT_S = 0.5


@dataclass
class Holding:
    """One claimed job in the hands of one executor."""

    job: JobRecord
    claim: Claim
    executor: Executor
    begun_s: float  # infinite while the executor is still being started
    limit_s: float | None
    memory_limit_bytes: int
    oom_kills_before: int
    # Positions of the experiments that have no result yet.
    awaited: set[int] = field(default_factory=set)
    # What is written when the executor is gone; set when the worker ends it on purpose.
    ending: Outcome | None = None
    base_rss_bytes: int | None = None
    # Whether the store says which process runs the job.
    executor_is_noted: bool = False

    @property
    def ticket(self) -> str:
        """Name the claim in messages, so that a late answer is not taken for this job's."""
        return self.claim.token + ":" + self.claim.job_id

    @property
    def is_validation(self) -> bool:
        return self.claim.status is Status.VALIDATING

    @property
    def note_due_s(self) -> float:
        """When its executor is to be noted: most jobs end before anybody can look, and cost no write for it."""
        is_wanted = not (self.is_validation or self.executor_is_noted or self.ending is not None)
        return self.begun_s + _WORTH_LOOKING_AT_S if is_wanted else math.inf

    @property
    def deadline_s(self) -> float | None:
        return None if self.limit_s is None else self.begun_s + self.limit_s


@dataclass
class Holdings:
    """All of them, by executor."""

    _by_executor: dict[int, Holding] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Holding]:
        return iter(list(self._by_executor.values()))

    def __len__(self) -> int:
        return len(self._by_executor)

    def add(self, holding: Holding) -> None:
        self._by_executor[holding.executor.serial] = holding

    def of(self, executor: Executor) -> Holding | None:
        return self._by_executor.get(executor.serial)

    def release(self, holding: Holding) -> None:
        del self._by_executor[holding.executor.serial]
