"""For how long smaller jobs pass one that waits for memory: else there might never be as much as it needs.

Slurm's backfill promises the first job of its queue a time in the same way (https://slurm.schedmd.com/sched_config.html).
"""

from __future__ import annotations

import math


class Patience:
    """Remembers which job lacks memory, the first of the queue that does, and since when."""

    def __init__(self, lasts_s: float) -> None:
        self._lasts_s = lasts_s
        self._seq: int | None = None
        self._since_s = math.inf

    @property
    def is_waited_for(self) -> bool:
        """Tell whether there is such a job."""
        return self._seq is not None

    def is_over(self, seqs: list[int], now_s: float) -> bool:
        """Tell whether none may pass the job any more, which is still among those that queue first."""
        return self._seq in seqs and now_s - self._since_s >= self._lasts_s

    def note(self, seq: int | None, now_s: float) -> None:
        """Take in which job lacks memory now; None for none."""
        if seq != self._seq:
            self._seq, self._since_s = seq, now_s
