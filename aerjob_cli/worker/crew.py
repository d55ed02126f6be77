"""The executors at work: which gets which of the claimed jobs, what is taken back from them, and how they are ended."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

from aerjob_cli.clock import Clock
from aerjob_cli.executors.pool import Pool
from aerjob_cli.executors.sharing import JOBS_PER_CALL
from aerjob_cli.memory import LITTLE_BYTES, MIB, counted_bytes, oom_kills
from aerjob_cli.processes import rss_bytes
from aerjob_cli.settings import WorkerSettings, usable_cores
from aerjob_cli.store.claims import Candidate, Taken
from aerjob_cli.store.deliveries import Key, key_of
from aerjob_cli.store.records import Claim
from aerjob_cli.worker import journal
from aerjob_cli.worker.cores import executors_at_most, only_small_may_begin, startable
from aerjob_cli.worker.demands import Demand
from aerjob_cli.worker.hands import AHEAD_AT_FIRST, Block, Hand, Hands
from aerjob_cli.worker.holdings import Holding
from aerjob_cli.worker.limits import memory_is_exceeded, time_is_over
from aerjob_cli.worker.memory_room import MemoryRoom
from aerjob_cli.worker.orders import Order
from aerjob_cli.worker.outbox import Outbox
from aerjob_cli.worker.outcomes import GivenBack, Outcome, PutBack, ValidationReturned
from aerjob_cli.worker.patience import Patience
from aerjob_cli.worker.runtimes import Runtimes

# A validation that takes longer than this no longer keeps others waiting: they get another validator.
_VALIDATION_USUALLY_TAKES_S = 0.5
_PLACES_ARE_LOOKED_FOR_EVERY_S = 0.1
_NOT_BEGUN = "no executor was free after all"
_WORTH_SHARING = 3  # jobs in the hands of one executor, of which it runs the first


class Crew:
    """The hands of a worker, and the claimed jobs that are in none of them."""

    def __init__(
        self, *, pool: Pool, outbox: Outbox, settings: WorkerSettings, clock: Clock, runtimes: Runtimes
    ) -> None:
        self.hands = Hands(settings.jobs_per_executor)
        # Jobs that share no call with others, by their sequence numbers: one that they shared has failed.
        self.alone: set[int] = set()
        self._waiting: deque[Order] = deque()
        self._pool = pool
        self._outbox = outbox
        self._settings = settings
        self._clock = clock
        self._runtimes = runtimes
        self._cores = usable_cores()
        self._next_memory_check_s = 0.0
        limit_mb = settings.max_memory_mb
        self._memory = MemoryRoom(limit_bytes=None if limit_mb is None else limit_mb * MIB, slots=settings.slots)
        self._patience = Patience(settings.patience_s)

    def __len__(self) -> int:
        """Count the jobs that are here."""
        return len(self._waiting) + len(self.hands.holdings())

    # Feeding

    def room(self, *, for_validation: bool) -> int:
        """Say how many more jobs of a kind could be begun at once, or wait behind others for a moment."""
        hands = self.hands.of_kind(for_validation=for_validation)
        new = max(0, self._places(hands, for_validation=for_validation) - len(hands))
        there = sum(hand.room for hand in hands)
        waiting = sum(order.is_validation is for_validation for order in self._waiting)
        return max(0, new * AHEAD_AT_FIRST + there - waiting)

    def choose(self, candidates: Sequence[Candidate], all_fit: bool) -> Taken:
        """Say which of the first queued jobs are to be begun now; ``all_fit`` means that others were left out."""
        running = self._running()
        free = executors_at_most(running, cores=self._cores, slots=self._settings.slots) - len(running)
        sizes = [counted_bytes(candidate.estimated_bytes) for candidate in candidates]
        # Without a job that needs much there is nothing to look at.
        needs_memory = any(sizes)
        total_bytes = self._memory.total_bytes if needs_memory else 0
        free_bytes = self._memory.free_bytes(self._begun_runs()) if needs_memory else 0
        # One that could never begin here keeps nobody waiting.
        able = [(candidate, size) for candidate, size in zip(candidates, sizes, strict=True) if size <= total_bytes]
        seqs, now_s = [candidate.seq for candidate, _ in able], self._clock.monotonic_s()
        firm = self._patience.over(seqs, now_s)
        choice = startable(
            [Demand(candidate.threads, size) for candidate, size in able],
            running,
            cores=self._cores,
            slots=self._settings.slots,
            room_behind=max(0, self.room(for_validation=False) - max(0, free)),
            free_bytes=free_bytes,
            firm=firm,
        )
        taken = [seqs[place] for place in choice.places]
        if all_fit:
            return Taken(taken)
        self._patience.note([seqs[place] for place in choice.short], taken, now_s)
        leaves_out = bool(choice.short) or len(able) < len(candidates)
        looks_on = leaves_out and not set(firm).intersection(choice.short)
        # What takes little always fits.
        return Taken(taken, look_for_bytes=max(free_bytes, LITTLE_BYTES) if looks_on else None)

    @property
    def lacks_memory(self) -> bool:
        """Tell whether a job that queues waits for memory, which may be there though nothing has happened here."""
        return self._patience.is_waited_for()

    @property
    def takes_small_only(self) -> bool:
        """Tell whether no job of several threads could be begun."""
        return only_small_may_begin(self._running())

    def _running(self) -> list[int | None]:
        return [holding.job.threads for holding in self._begun_runs()]

    def _begun_runs(self) -> list[Holding]:
        return [holding for holding in self.hands.begun() if not holding.is_validation]

    @property
    def has_room(self) -> bool:
        """Tell whether there is room for any more job."""
        return any(self.room(for_validation=kind) > 0 for kind in (False, True))

    def take(self, orders: Iterable[Order]) -> None:
        """Have claimed jobs begun in this order."""
        self._waiting.extend(orders)

    def place(self) -> bool:
        """Send waiting jobs to executors, and put back those for which there is none.

        Those that are to be validated stay: there will be a place for them in a moment. Return False when the system
        lets no executor be made.
        """
        fed: dict[tuple[int, int], list[Holding]] = {}
        staying: list[Order] = []
        block = Block(self._block_size())
        try:
            while self._waiting:
                order = self._waiting[0]
                hand = block.hand_for(order) or self._hand_for(order)
                block.note(order, hand)
                self._waiting.popleft()
                if hand is None and order.is_validation:
                    staying.append(order)
                elif hand is None:
                    self._say_unbegun(order, PutBack(_NOT_BEGUN))
                else:
                    key = hand.executor.serial, order.claimed.claim.attempt
                    fed.setdefault(key, []).append(self._feed(hand, order))
        except OSError as error:
            # No descriptors or processes left.
            journal.store_trouble(str(error))
            self._let_go(GivenBack("no executor could be started"))
            return False
        finally:
            self._waiting.extend(staying)
            self._push([holding for holdings in fed.values() for holding in holdings])
            for holdings in fed.values():
                journal.began(holdings)
        return True

    def _block_size(self) -> int:
        """Say how many jobs one executor is given before the next one's turn, so that they can share a call."""
        runs = sum(not order.is_validation for order in self._waiting)
        return max(1, min(JOBS_PER_CALL, math.ceil(runs / self._settings.slots)))

    def balance(self) -> None:
        """Have an executor that has nothing to do begin jobs that wait behind those of another one."""
        hands = self.hands.of_kind(for_validation=False)
        busy = [hand for hand in hands if not hand.is_idle]
        if busy and len(busy) < min(len(hands), self._places(hands, for_validation=False)):
            fullest = max(busy, key=lambda hand: len(hand.holdings))
            if len(fullest.holdings) >= _WORTH_SHARING:
                self._take_back(fullest)

    def _hand_for(self, order: Order) -> Hand | None:
        for_validation = order.is_validation
        hands = self.hands.of_kind(for_validation=for_validation)
        idle = [hand for hand in hands if hand.is_idle and not hand.is_condemned]
        if len(hands) - len(idle) < self._places(hands, for_validation=for_validation):
            if idle:
                # The one that has worked last has the warmest memory.
                return max(idle, key=lambda hand: hand.progress_s)
            return self.hands.add(self._pool.fork(), for_validation=for_validation)
        if not order.is_light:
            return None
        roomy = [hand for hand in hands if hand.room]
        return min(roomy, key=lambda hand: len(hand.holdings), default=None)

    def _places(self, hands: list[Hand], *, for_validation: bool) -> int:
        """Say how many executors of a kind there may be: for validation one, and more where those have a long one."""
        if not for_validation:
            return executors_at_most(self._running(), cores=self._cores, slots=self._settings.slots)
        long_since_s = self._clock.monotonic_s() - _VALIDATION_USUALLY_TAKES_S
        busy = [hand.first for hand in hands if hand.first is not None]
        all_are_long = all(holding.begun_s < long_since_s for holding in busy)
        return min(len(busy) + 1 if all_are_long else len(hands), self._settings.slots + 1)

    def _feed(self, hand: Hand, order: Order) -> Holding:
        claimed, executor = order.claimed, hand.executor
        now_s = self._clock.monotonic_s()
        is_begun = hand.is_idle and hand.is_ready
        holding = Holding(
            job=claimed.job,
            claim=replace(claimed.claim, runtime_id=self._runtimes.of(executor)),
            executor=executor,
            begun_s=now_s if is_begun else math.inf,
            limit_s=self._settings.validation_limit_s if order.is_validation else claimed.job.time_limit_s,
            memory_limit_bytes=order.memory_limit_bytes,
            base_rss_bytes=rss_bytes(executor.pid) if is_begun and executor.pid is not None else None,
            awaited={position for start, stop in order.missing for position in range(start, stop)},
            order=order,
        )
        if is_begun:
            hand.progress_s = now_s
        hand.holdings[holding.ticket] = holding
        self._pool.send(executor, order.header(holding.ticket, incoming=executor.scratch), order.bodies)
        return holding

    def _push(self, fed: Iterable[Holding]) -> None:
        """Send what was put together, and only then look at what is for the case that an executor is killed."""
        self._pool.push()
        kills = None
        for holding in fed:
            holding.oom_kills_before = kills = oom_kills() if kills is None else kills

    def _say_unbegun(self, order: Order, outcome: Outcome) -> None:
        if order.is_validation:
            outcome = ValidationReturned(None)
        self._outbox.add(order.claimed.claim, outcome, now_s=self._clock.monotonic_s())

    # Taking back

    def begin_next(self, hand: Hand, before: Holding) -> None:
        """Have the memory of the job counted that an executor begins after another one."""
        holding = hand.first
        if holding is None:
            return
        holding.base_rss_bytes = before.base_rss_bytes
        if holding.job.max_memory_mb is not None and hand.executor.pid is not None:
            # What others left there is not this one's, and looking costs as much as a statement.
            holding.base_rss_bytes = rss_bytes(hand.executor.pid)

    def take_back_from_late(self) -> None:
        """Free the jobs that wait behind a long one."""
        now_s = self._clock.monotonic_s()
        for hand in self.hands:
            if hand.late_s <= now_s:
                hand.note_lateness()
                self._take_back(hand)
                # Those that could not be taken back share its call, and there is nothing more to do about that.
                hand.progress_s = now_s

    def _take_back(self, hand: Hand) -> None:
        """Take back what an executor has not begun, but for the first: that it is about to begin."""
        if len(hand.holdings) < 2:
            return
        self.wait_again(hand, self._pool.withdraw(hand.executor))
        if hand.is_idle:
            self._push([self._feed(hand, self._waiting.popleft())])

    def wait_again(self, hand: Hand, tickets: Iterable[str]) -> None:
        """Have jobs begun elsewhere that an executor was sent and never began."""
        freed = [hand.holdings.pop(ticket) for ticket in list(hand.holdings) if ticket in frozenset(tickets)]
        self._waiting.extendleft(holding.order for holding in reversed(freed) if holding.order is not None)

    def give_back_unbegun(self, outcome: Outcome) -> None:
        """Let go of all that no executor has begun."""
        for hand in self.hands:
            self._take_back(hand)
        self._let_go(outcome)

    def _let_go(self, outcome: Outcome) -> None:
        for order in self._waiting:
            self._say_unbegun(order, outcome)
        self._waiting.clear()

    # Ending

    def end(self, holding: Holding, outcome: Outcome) -> None:
        """Kill the executor of a job; ``outcome`` is written once it is gone."""
        if holding.ending is None:
            holding.ending = outcome
            journal.ending(holding, outcome)
            self.condemn(holding)

    def condemn(self, holding: Holding) -> None:
        """Kill the executor that has a job, or has just failed with it."""
        hand = self.hands.of(holding.executor)
        if hand is not None:
            hand.is_condemned = True
            self._pool.kill(hand.executor)

    def end_claim(self, key: Key, outcome: Outcome | None) -> None:
        """End a job, wherever it is; of one that was not begun ``outcome`` is written at once, if there is one."""
        for hand in self.hands:
            for position, holding in enumerate(hand.holdings.values()):
                if key_of(holding.claim) != key:
                    continue
                if position:
                    self._take_back(hand)
                if holding.ticket in hand.holdings:
                    self.end(holding, outcome or holding.stopped("its claim was lost"))
                break
        for order in list(self._waiting):
            claim = order.claimed.claim
            if key_of(claim) == key:
                self._waiting.remove(order)
                if outcome is not None:
                    self._outbox.add(claim, outcome, now_s=self._clock.monotonic_s())

    def enforce_limits(self) -> None:
        """End what has run for too long or has become too large."""
        now_s = self._clock.monotonic_s()
        begun = self.hands.begun()
        for holding in begun:
            outcome = time_is_over(holding, now_s)
            if outcome is not None:
                self.end(holding, outcome)
        if begun and now_s >= self._next_memory_check_s:
            self._next_memory_check_s = now_s + self._settings.memory_check_s
            for holding in begun:
                outcome = memory_is_exceeded(holding)
                if outcome is not None:
                    self.end(holding, outcome)

    def due_s(self) -> float:
        """Say when something is to be done here though nothing has happened."""
        begun = self.hands.begun()
        deadlines = [
            holding.deadline_s for holding in begun if holding.deadline_s is not None and holding.ending is None
        ]
        late = [hand.late_s for hand in self.hands]
        placing_s = self._clock.monotonic_s() + _PLACES_ARE_LOOKED_FOR_EVERY_S if self._waiting else math.inf
        return min([*deadlines, *late, self._next_memory_check_s if begun else math.inf, placing_s])

    def claims(self) -> list[Claim]:
        """Give the claims of all jobs that are here."""
        return [holding.claim for holding in self.hands.holdings()] + [order.claimed.claim for order in self._waiting]
