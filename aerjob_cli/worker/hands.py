"""The executors of a worker and what each was sent: the job that it runs, and a few ahead so that it never waits.

How many are ahead depends on how quickly it ends them: a fifth of a second of work, and so none behind a long
job. Where one turns out to be long, those behind it are taken back.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from aerjob_cli.executors.pool import Executor
from aerjob_cli.worker.holdings import Holding
from aerjob_cli.worker.orders import Order

_AHEAD_S = 0.2
_AHEAD_AT_MOST = 64
AHEAD_AT_FIRST = 8  # as long as nothing is known; what turns out to be long gives the others back
# Who has not ended anything for so long keeps no other job waiting.
LATE_S = 0.15
_NEWS = 0.3  # how much the latest job counts among all before it


@dataclass
class Hand:
    """One executor and its jobs, by their tickets and in the order in which it begins them."""

    executor: Executor
    for_validation: bool
    jobs_at_most: int  # in its life
    holdings: dict[str, Holding] = field(default_factory=dict)
    served: int = 0
    # When it last ended a job, or began to work after it had nothing to do; infinite while it is being started.
    progress_s: float = math.inf
    # Seconds for each job, as seen lately; None before the first.
    pace_s: float | None = None
    # It is being ended, and gets no more.
    is_condemned: bool = False

    @property
    def is_ready(self) -> bool:
        return math.isfinite(self.progress_s)

    @property
    def is_idle(self) -> bool:
        return not self.holdings

    @property
    def first(self) -> Holding | None:
        """The job that it runs, or that it begins as soon as it is started."""
        return next(iter(self.holdings.values()), None)

    @property
    def late_s(self) -> float:
        """When those behind the first are to be taken back."""
        return self.progress_s + LATE_S if len(self.holdings) > 1 else math.inf

    @property
    def room(self) -> int:
        """Say how many more small jobs it may be sent."""
        first = self.first
        # One that is not light was sent to an executor that had nothing, and gets nothing behind it.
        if self.is_condemned or not (first is None or first.order is None or first.order.is_light):
            return 0
        depth = AHEAD_AT_FIRST if self.pace_s is None else min(int(_AHEAD_S / max(self.pace_s, 1e-6)), _AHEAD_AT_MOST)
        return max(0, min(max(1, depth), self.jobs_at_most - self.served) - len(self.holdings))

    def release(self, holding: Holding, *, now_s: float) -> None:
        """Let go of a job that has ended; the next one begins."""
        del self.holdings[holding.ticket]
        self.served += 1
        following = self.first
        if following is not None:
            following.begun_s = now_s

    def note_end(self, took_s: float | None, *, now_s: float) -> None:
        """Take in that it has ended a job, which took so long in its own eyes, or since it was last heard of."""
        sample_s = max(0.0, now_s - self.progress_s) if took_s is None else took_s
        self.progress_s = now_s
        # A single long one among short ones has been told of by its lateness.
        self.pace_s = sample_s if self.pace_s is None else self.pace_s + _NEWS * (sample_s - self.pace_s)

    def note_lateness(self) -> None:
        """Take in that it works on something long."""
        self.pace_s = max(self.pace_s or 0.0, LATE_S)


@dataclass
class Block:
    """Jobs that follow each other and go to one executor, where they can share a call; at most ``size`` of them."""

    size: int
    _hand: Hand | None = None
    _left: int = 0

    def hand_for(self, order: Order) -> Hand | None:
        """Give the executor that has what is before a job, None where another one's turn has come."""
        hand = self._hand
        if hand is None or not order.shares or not order.is_light or self._left < 1:
            return None
        return hand if hand.room else None

    def note(self, order: Order, hand: Hand | None) -> None:
        """Take in which executor gets a job."""
        if hand is not self._hand or self._left < 1:
            self._hand, self._left = hand if order.shares else None, self.size
        self._left -= 1


@dataclass
class Hands:
    """All of them; each executor serves ``jobs_per_executor``."""

    jobs_per_executor: int
    _by_serial: dict[int, Hand] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Hand]:
        return iter(list(self._by_serial.values()))

    def add(self, executor: Executor, *, for_validation: bool) -> Hand:
        hand = self._by_serial[executor.serial] = Hand(executor, for_validation, self.jobs_per_executor)
        return hand

    def of(self, executor: Executor) -> Hand | None:
        return self._by_serial.get(executor.serial)

    def remove(self, executor: Executor) -> Hand | None:
        return self._by_serial.pop(executor.serial, None)

    def of_kind(self, *, for_validation: bool) -> list[Hand]:
        """Give those that take jobs of a kind, or still have one."""
        return [
            hand
            for hand in self._by_serial.values()
            if hand.for_validation is for_validation and not (hand.is_condemned and hand.is_idle)
        ]

    def holdings(self) -> list[Holding]:
        """Give all jobs."""
        return [holding for hand in self._by_serial.values() for holding in hand.holdings.values()]

    def begun(self) -> list[Holding]:
        """Give the first job of each: what runs, or is about to."""
        return [hand.first for hand in self._by_serial.values() if hand.first is not None]
