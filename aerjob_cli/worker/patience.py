"""For how long smaller jobs pass one that waits for memory: else there might never be as much as it needs.

Slurm's backfill promises the first job of its queue a time in the same way (https://slurm.schedmd.com/sched_config.html).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

# Of those that were ended meanwhile nobody tells; their numbers never come again.
_REMEMBERED = 1000


class Patience:
    """Remembers since when jobs lack memory, until they begin, whatever keeps them from being seen meanwhile."""

    def __init__(self, lasts_s: float) -> None:
        self._lasts_s = lasts_s
        self._since_s: dict[int, float] = {}
        self._lately: tuple[int, ...] = ()

    def is_waited_for(self) -> bool:
        """Tell whether any job lacked memory when the queue was last looked at."""
        return bool(self._lately)

    def over(self, seqs: Sequence[int], now_s: float) -> list[int]:
        """Give the places of the jobs that none may pass any more."""
        return [place for place, seq in enumerate(seqs) if now_s - self._since_s.get(seq, now_s) >= self._lasts_s]

    def note(self, short: Collection[int], begun: Collection[int], now_s: float) -> None:
        """Take in which of the jobs of the queue lack memory, and which have begun."""
        for seq in begun:
            self._since_s.pop(seq, None)
        for seq in short:
            self._since_s.setdefault(seq, now_s)
        while len(self._since_s) > _REMEMBERED:
            del self._since_s[next(iter(self._since_s))]
        self._lately = tuple(short)
