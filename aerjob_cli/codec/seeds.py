"""How the seeds of experiments follow each other, and how they are drawn for jobs that came without one."""

from __future__ import annotations

import os

# Aer gives experiment i of a run the seed s + 2113·i, and so do we with any simulator.
SEED_STEP = 2113
# Drawn seeds stay below 2^32: exact in every JSON reader, and short to type again.
_DRAWN_SEED_BYTES = 4
_DRAWN_SEEDS = 256**_DRAWN_SEED_BYTES


def seed_after(seed: int, experiments: int) -> int:
    """Give the seed of the experiment that comes so many after the one with ``seed``."""
    return seed + SEED_STEP * experiments


def signed_seed(seed: int) -> int:
    """Give a seed as Aer takes it: it computes modulo 2^64, and the upper half is passed as negative numbers."""
    value = seed % 2**64
    return value - 2**64 if value >= 2**63 else value


class DrawnSeeds:
    """Seeds from 0 to 2^32 − 1 for jobs that are submitted together, each where the one before it ends.

    Such jobs look like one to the simulator, so that small ones can share a call of it and still run with their own
    seeds. In two million experiments no seed comes twice.
    """

    def __init__(self) -> None:
        self._next = _drawn()

    def seed_for(self, experiments: int | None) -> int:
        """Give the seed of a job of so many experiments; where nobody knows how many, one that has no successor."""
        if experiments is None:
            return _drawn()
        if seed_after(self._next, experiments - 1) >= _DRAWN_SEEDS:
            self._next %= SEED_STEP
        seed = self._next
        self._next = seed_after(seed, experiments)
        return seed


def _drawn() -> int:
    return int.from_bytes(os.urandom(_DRAWN_SEED_BYTES))
