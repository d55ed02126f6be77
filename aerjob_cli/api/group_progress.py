"""How far the jobs of a group have come, all together."""

from __future__ import annotations

from aerjob_cli.api.progress import seconds_left
from aerjob_cli.errors import GroupNotFound
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import PENDING, Status
from aerjob_cli.store.database import Store
from aerjob_cli.store.groups import GroupSums, sums_of

_US_PER_S = 1_000_000
# What a group is, of what its jobs are: what says most comes first.
_TELLING = (
    *(Status.RUNNING, Status.QUEUED, Status.VALIDATING, Status.INITIALIZING),
    *(Status.ERROR, Status.CANCELLED, Status.DONE),
)


@dataclass(frozen=True)
class GroupProgress:
    """How far a group is, at one instant.

    ``elapsed_s`` counts from the first start of a job to the last end of one, or to now while a job has not ended; None
    before the first start. ``eta_s`` is None unless a job runs, all circuits have been looked at and some experiments
    have ended: it is reckoned from the pace since the first start.
    """

    sums: GroupSums
    elapsed_s: float | None
    eta_s: float | None

    @property
    def status(self) -> Status:
        """Sum up the states: RUNNING while a job runs, a state of those that wait, then as `wait` would tell of it."""
        return next(status for status in _TELLING if self.sums.jobs[status])

    @property
    def jobs_total(self) -> int:
        return sum(self.sums.jobs.values())

    @property
    def jobs_ended(self) -> int:
        return sum(count for status, count in self.sums.jobs.items() if status.is_final)


def group_progress(store: Store, name: str) -> GroupProgress:
    """Say how far the jobs of a group are; raises ``GroupNotFound``."""
    with store.reading_directly() as tx:
        sums = sums_of(tx, name)
    if sums is None:
        raise GroupNotFound(name)
    return group_progress_of(sums, now_us=store.now_us())


def group_progress_of(sums: GroupSums, *, now_us: int) -> GroupProgress:
    """Say how far a group is."""
    elapsed_s = _elapsed_s(sums, now_us)
    eta_s = None
    if sums.jobs[Status.RUNNING] and sums.experiments_left is not None:
        eta_s = seconds_left(done=sums.experiments_done, left=sums.experiments_left, spent_s=elapsed_s or 0.0)
    return GroupProgress(sums=sums, elapsed_s=elapsed_s, eta_s=eta_s)


def _elapsed_s(sums: GroupSums, now_us: int) -> float | None:
    if sums.started_us is None:
        return None
    goes_on = any(sums.jobs[status] for status in PENDING)
    end_us = now_us if goes_on or sums.finished_us is None else sums.finished_us
    # The wall clock may have been set back.
    return max(0, end_us - sums.started_us) / _US_PER_S
