"""How much memory jobs may still be given: so that none begins which would take what another one counts on.

Jobs that take little are not counted one by one: room for as many as run at a time is kept for them. All others take
what they are estimated to, from the memory that a worker may have and from what the system has to give, of which those
that run have not taken all of theirs yet.
"""

from __future__ import annotations

from collections.abc import Iterable

from aerjob_cli.memory import MIB, available_bytes, counted_bytes, largest_job_bytes, usable_memory_mb
from aerjob_cli.processes import rss_bytes
from aerjob_cli.worker.holdings import Holding


class MemoryRoom:
    """The memory of one worker, for ``slots`` jobs at a time; ``limit_bytes`` is the most that they may have in all."""

    def __init__(self, *, limit_bytes: int | None, slots: int) -> None:
        self._limit_bytes = limit_bytes
        self._slots = slots

    @property
    def total_bytes(self) -> int:
        """What a single job may take, when no other one runs."""
        usable = usable_memory_mb() * MIB
        most = usable if self._limit_bytes is None else min(usable, self._limit_bytes)
        return largest_job_bytes(most, slots=self._slots)

    def free_bytes(self, running: Iterable[Holding]) -> int:
        """Say how much a job may take that begins beside those that run."""
        counted = [holding for holding in running if counted_bytes(holding.job.estimated_bytes)]
        promised = sum(counted_bytes(holding.job.estimated_bytes) for holding in counted)
        free = self.total_bytes - promised
        available = available_bytes()
        if available is not None:
            not_taken = sum(map(_not_taken_bytes, counted))
            free = min(free, largest_job_bytes(max(0, available - not_taken), slots=self._slots))
        return max(0, free)


def _not_taken_bytes(holding: Holding) -> int:
    """Give what a job that runs was promised and has not yet."""
    promised = counted_bytes(holding.job.estimated_bytes)
    pid = holding.executor.pid
    if pid is None or holding.base_rss_bytes is None:
        return promised
    return max(0, promised - max(0, (rss_bytes(pid) or 0) - holding.base_rss_bytes))
