"""The worker's loop. It claims jobs, feeds executors, enforces limits and writes what came of it.

Single-threaded, and nothing in it waits: circuits run in executors, large results are written by them, and a store
that is locked is asked again on the next turn. It never imports Qiskit. The executors are `crew`'s, what they say is
`hearing`'s, and how it is written `outbox`'s.
"""

from __future__ import annotations

import contextlib
import selectors
from collections.abc import Callable

from sqlalchemy import Connection

from aerjob_cli.errors import StoreBusy, StoreFailing, StoreFull
from aerjob_cli.executors.pool import Pool
from aerjob_cli.settings import WorkerSettings
from aerjob_cli.store import claims, gong, waits, workers
from aerjob_cli.store.database import Store
from aerjob_cli.store.deliveries import key_of
from aerjob_cli.store.doorbell import Doorbell
from aerjob_cli.store.flocks import Flock
from aerjob_cli.store.jobs import has_waiting
from aerjob_cli.store.records import ClaimedJob
from aerjob_cli.worker import answers, journal, orders, outbox, processes
from aerjob_cli.worker.crew import Crew
from aerjob_cli.worker.end_commands import STOPPED, EndCommands
from aerjob_cli.worker.hearing import Hearing
from aerjob_cli.worker.notify import Manager
from aerjob_cli.worker.outbox import Outbox
from aerjob_cli.worker.outcomes import Cancelled, PutBack, ValidationReturned
from aerjob_cli.worker.runtimes import Runtimes
from aerjob_cli.worker.signals import Signals

# Ways to end after which another worker is on its way.
DRAINED = "drained"
SUPERSEDED = "superseded"

_BEATS_PER_LEASE = 3
# While the disk is full or the database locked, trying on every turn would only spin.
_TROUBLE_PAUSE_S = 0.25
# A job whose result the disk did not take, or that no executor could be started for, is not begun again at once: it
# would run for nothing, and each try is two rows of its history.
_UNAVAILING_PAUSE_S = 5.0
# What others have written waits for a quiet moment, and for no longer: a cancellation may be among it.
_READING_WAITS_S = 0.02
_US_PER_S = 1_000_000
_TROUBLES = (StoreBusy, StoreFull, StoreFailing)
# After the second order to stop: killing takes milliseconds, writing what came of it another few.
_ENDS_TAKE_AT_MOST_S = 5.0


class Supervisor:
    """One worker, from its first turn to its last."""

    def __init__(
        self,
        *,
        worker_id: str,
        store: Store,
        pool: Pool,
        doorbell: Doorbell,
        lock: Flock,
        settings: WorkerSettings,
        selector: selectors.BaseSelector,
        signals: Signals,
        commands: EndCommands,
        manager: Manager,
    ) -> None:
        self._worker_id = worker_id
        self._store = store
        self._pool = pool
        self._doorbell = doorbell
        self._lock = lock
        self._settings = settings
        self._selector = selector
        self._signals = signals
        self._commands = commands
        self._manager = manager
        self._watch = store.watch_others()
        self._outbox = Outbox()
        self._runtimes = Runtimes()
        self._crew = Crew(pool=pool, outbox=self._outbox, settings=settings, clock=store.clock, runtimes=self._runtimes)
        self._hearing = Hearing(
            pool=pool,
            crew=self._crew,
            outbox=self._outbox,
            runtimes=self._runtimes,
            paths=store.paths,
            clock=store.clock,
        )
        self._children: tuple[tuple[int, str], ...] = ()
        now_s = self._now_s()
        self._next_beat_s = now_s
        self._idle_since_s = now_s
        self._trouble_until_s = 0.0
        self._claim_again_s = 0.0
        self._drain_deadline_s: float | None = None
        self._leave_at_s: float | None = None
        self._may_have_work = True
        # Whether anything may wait to be validated: clients bring that, and what comes back from a validator.
        self._may_have_texts = True
        # Whether others have written what was not read yet, and when it is to be read at the latest.
        self._is_unread = True
        self._read_at_s = now_s
        # The next time for which a job waits, by the clock on the wall, which may be set meanwhile.
        self._next_begin_us: int | None = None
        self._is_superseded = False
        self._end: str | None = None
        selector.register(doorbell.descriptor, selectors.EVENT_READ, self._rung)

    def run(self) -> str:
        """Turn until there is a reason to end, and say which."""
        while self._end is None:
            self.run_once()
        return self._end

    def run_once(self) -> None:
        """One turn of the loop."""
        self._wait_for_events()
        self._heed_signals()
        self._hear_executors()
        self._notice_others()
        self._crew.enforce_limits()
        self._crew.take_back_from_late()
        self._place()
        self._write_and_claim()
        self._commands.turn()
        self._beat()
        self._consider_ending()

    # Waiting

    def _wait_for_events(self) -> None:
        # A job that has come, or has ended, is not to wait for what concerns those that run.
        reads = self._is_unread and (self._now_s() >= self._read_at_s or not self._selector.select(0))
        if reads:
            self._read_store()
        # What was read may be an order to do something now.
        for key, _ in self._selector.select(0 if reads else self._pause_s()):
            wake: Callable[[], None] = key.data
            wake()

    def _pause_s(self) -> float:
        now_s = self._now_s()
        due = [now_s + self._settings.poll_s, self._next_beat_s, self._crew.due_s(), self._commands.due_s()]
        due.append(max(self._outbox.due_s, self._trouble_until_s))
        due += [max(holding.note_due_s, self._trouble_until_s) for holding in self._crew.hands.begun()]
        if self._drain_deadline_s is not None:
            due.append(self._drain_deadline_s)
        if self._claim_again_s > now_s:
            due.append(self._claim_again_s)
        if self._next_begin_us is not None and not self._is_draining:
            due.append(max(now_s + (self._next_begin_us - self._store.now_us()) / _US_PER_S, self._trouble_until_s))
        return max(0.0, min(due) - now_s)

    def _rung(self) -> None:
        self._doorbell.silence()
        self._may_have_work = self._may_have_texts = True

    # Signals

    def _heed_signals(self) -> None:
        if self._signals.stops >= 1 and self._drain_deadline_s is None:
            self._drain(self._settings.drain_grace_s)
            self._note_drain()
        if self._signals.stops > 1 and self._drain_deadline_s is not None and self._leave_at_s is None:
            self._leave_at_s = self._now_s() + _ENDS_TAKE_AT_MOST_S
            self._drain_deadline_s = min(self._drain_deadline_s, self._now_s())

    def _drain(self, grace_s: float) -> None:
        self._drain_deadline_s = self._now_s() + grace_s
        # Who rings from here on starts another worker, which waits until this one has left.
        self._stop_listening()
        self._commands.stop_beginning()
        self._crew.give_back_unbegun(PutBack("the worker was stopped"))
        journal.draining(len(self._crew))
        self._manager.stopping(len(self._crew))

    def _note_drain(self) -> None:
        # For those who look; and whoever finds this process killed before its grace is over charges no attempt for it.
        with contextlib.suppress(*_TROUBLES), self._store.writing_directly() as tx:
            workers.request_drain(tx, self._worker_id, now_us=self._store.now_us())

    def _stop_listening(self) -> None:
        self._selector.unregister(self._doorbell.descriptor)
        self._doorbell.take_down()

    @property
    def _is_draining(self) -> bool:
        return self._drain_deadline_s is not None

    # Executors

    def _hear_executors(self) -> None:
        self._hearing.hear()
        now_s = self._now_s()
        if self._hearing.is_unavailing:
            self._claim_again_s = now_s + _UNAVAILING_PAUSE_S
        if self._hearing.is_fruitless:
            self._trouble_until_s = now_s + _TROUBLE_PAUSE_S
        self._hearing.is_unavailing = self._hearing.is_fruitless = False

    def _place(self) -> None:
        if not self._crew.place():
            self._claim_again_s = self._now_s() + _UNAVAILING_PAUSE_S
            self._trouble_until_s = self._now_s() + _TROUBLE_PAUSE_S

    # The store

    def _notice_others(self) -> None:
        try:
            if self._watch.changed():
                if not self._is_unread:
                    self._read_at_s = self._now_s() + _READING_WAITS_S
                self._may_have_work = self._may_have_texts = self._is_unread = True
        except _TROUBLES as error:
            self._miss_others(error)

    def _miss_others(self, error: Exception) -> None:
        if not isinstance(error, StoreBusy):
            journal.store_unread(str(error))
        self._watch.forget()

    def _read_store(self) -> None:
        """Read what others have written that concerns this worker."""
        self._is_unread = False
        try:
            with self._store.reading_directly() as tx:
                held = claims.claims_of(tx, self._worker_id)
                wants_drain = workers.is_drain_requested(tx, self._worker_id)
                self._next_begin_us = waits.next_begin_us(tx)
                self._commands.look(tx)
        except _TROUBLES as error:
            self._miss_others(error)
            return
        written = self._outbox.claims()
        for claim in self._crew.claims():
            key = key_of(claim)
            if key not in held and key not in written:
                journal.claim_lost(claim)
                self._crew.end_claim(key, None)
            elif held.get(key):
                self._crew.end_claim(key, Cancelled())
        if wants_drain and not self._is_draining:
            self._drain(self._settings.drain_grace_s)

    def _write_and_claim(self) -> None:
        """Write all outcomes and claim new jobs, in one transaction and so with one fsync."""
        now_s = self._now_s()
        if now_s < self._trouble_until_s:
            return
        now_us = self._store.now_us()
        entries, children = self._outbox.entries, self._pool.children()
        has_new_children = self._hearing.versions is not None and children != self._children
        may_claim = not self._is_draining and now_s >= self._claim_again_s
        wants_work = self._may_have_work and may_claim and self._crew.has_room
        is_time = not self._is_draining and self._next_begin_us is not None and self._next_begin_us <= now_us
        unnoted = [holding for holding in self._crew.hands.begun() if holding.note_due_s <= now_s]
        if not (self._outbox.due_s <= now_s or wants_work or is_time or has_new_children or unnoted):
            return
        self._may_have_texts |= any(isinstance(outcome, ValidationReturned) for _, outcome in entries)
        begun: list[orders.Order] = []
        next_begin_us = self._next_begin_us
        is_news = bool(entries or has_new_children or unnoted or is_time)
        try:
            with self._store.writing_directly(syncs=is_news) as tx:
                self._runtimes.write(tx)
                landed = outbox.write(tx, entries, self._store.paths, now_us=now_us)
                if entries:
                    self._commands.look(tx)
                if has_new_children:
                    processes.note_children(tx, self._worker_id, children, self._hearing.versions)
                processes.note_executors(tx, children, unnoted)
                if is_time:
                    waits.begin_due(tx, now_us=now_us)
                    next_begin_us = waits.next_begin_us(tx)
                if may_claim and self._is_to_claim(tx):
                    begun = self._claim(tx, now_us)
        except _TROUBLES as error:
            journal.store_trouble(str(error))
            self._trouble_until_s = self._now_s() + _TROUBLE_PAUSE_S
            self._may_have_texts = True  # what was claimed is not
            return
        self._runtimes.note_written()
        self._children = children if has_new_children else self._children
        for holding in unnoted:
            holding.executor_is_noted = True
        self._next_begin_us = next_begin_us
        self._outbox.clear()
        # Where some were claimed there may be more, of another kind. What could not be claimed now can be when an
        # executor is free, and then there is something to write; or when a validation turns out to be long.
        is_validating = any(holding.is_validation for holding in self._crew.hands.begun())
        # Memory may be freed by others, of which nobody tells.
        self._may_have_work = not may_claim or bool(begun) or is_validating or self._crew.lacks_memory
        self._crew.take(begun)
        if not begun:
            self._crew.balance()
        self._place()
        if any(answers.is_last(outcome) for _, outcome in entries):
            gong.strike(self._store.paths.gong)
        if begun and not is_news:
            self._sync_claims()
        ended = []
        for (claim, outcome), has_landed in zip(entries, landed, strict=True):
            if not has_landed:
                journal.write_refused(claim.job_id, claim.attempt, outcome)
                self._crew.end_claim(key_of(claim), None)
            elif answers.is_last(outcome):
                ended.append((claim.job_id, outcome))
        journal.wrote(ended)

    def _sync_claims(self) -> None:
        """Make claims durable while the jobs begin: one that was lost would be a job that nobody has begun.

        They must be, or a job that takes the machine down each time would be begun for ever.
        """
        try:
            self._store.sync_commits()
        except _TROUBLES as error:
            journal.store_trouble(str(error))  # the next commit will find the same

    def _is_to_claim(self, tx: Connection) -> bool:
        if self._pool.is_broken or not self._lock.is_still_named():
            return False
        # A client of another version wants a worker of its own for what it has submitted.
        return not workers.is_drain_requested(tx, self._worker_id)

    def _claim(self, tx: Connection, now_us: int) -> list[orders.Order]:
        claimed: list[ClaimedJob] = []
        if self._may_have_texts and (room := self._crew.room(for_validation=True)) > 0:
            claimed += claims.claim_validations(tx, self._worker_id, limit=room, now_us=now_us)
            self._may_have_texts = len(claimed) == room
        if (room := self._crew.room(for_validation=False)) > 0:
            claimed += claims.claim(
                tx,
                self._worker_id,
                limit=room,
                now_us=now_us,
                choose=self._crew.choose,
                small_only=self._crew.takes_small_only,
            )
        return orders.orders_for(tx, claimed, self._store.paths, alone=self._crew.alone)

    # Living and ending

    def _beat(self) -> None:
        now_s = self._now_s()
        if now_s < self._next_beat_s:
            return
        self._next_beat_s = now_s + self._settings.lease_s / _BEATS_PER_LEASE
        try:
            with self._store.writing_directly() as tx:
                is_alive = workers.beat(
                    tx, self._worker_id, now_us=self._store.now_us(), monotonic_s=self._store.clock.monotonic_s()
                )
        except _TROUBLES as error:
            journal.store_trouble(str(error))
            self._next_beat_s = now_s + _TROUBLE_PAUSE_S
            return
        if not is_alive or not self._lock.is_still_named():
            # What its executors have been doing is still written, and refused, and told of.
            journal.superseded()
            self._is_superseded = True
            if not self._is_draining:
                self._stop_listening()
            self._commands.stop_beginning()
            self._drain_deadline_s = now_s

    def _consider_ending(self) -> None:
        now_s = self._now_s()
        if self._pool.is_broken and self._has_nothing_left:
            why = self._pool.why_broken
            self._end = "executors cannot be started" + (f": {why}" if why else "")
        if not self._has_nothing_left:
            self._idle_since_s = now_s
        if self._is_draining:
            self._consider_ending_drain(now_s)
        elif 0 < self._settings.idle_exit_s <= now_s - self._idle_since_s:
            self._leave_if_nothing_waits()

    def _consider_ending_drain(self, now_s: float) -> None:
        if self._has_nothing_left:
            self._end = SUPERSEDED if self._is_superseded else DRAINED
        elif self._leave_at_s is not None and now_s >= self._leave_at_s:
            # Whatever keeps the ends from being told or written: an order to stop at once is one.
            self._end = "aborted"
        elif self._drain_deadline_s is not None and now_s >= self._drain_deadline_s:
            for holding in self._crew.hands.holdings():
                self._crew.end(holding, holding.stopped("the worker was stopped"))
            self._commands.end_all(STOPPED)
            # Ended ones are written as they are told of; do not spin until then.
            self._drain_deadline_s = now_s + self._settings.poll_s

    def _leave_if_nothing_waits(self) -> None:
        # From here on a client that rings knows that no worker is there. What came before that is seen here.
        self._stop_listening()
        with self._store.reading_directly() as tx:
            is_wanted = has_waiting(tx)
        if not is_wanted:
            self._end = "idle"
            return
        self._doorbell = Doorbell.hang(self._store.paths.doorbell)
        self._selector.register(self._doorbell.descriptor, selectors.EVENT_READ, self._rung)
        self._may_have_work = self._may_have_texts = True
        self._idle_since_s = self._now_s()

    @property
    def _has_nothing_left(self) -> bool:
        return not len(self._crew) and not self._outbox.entries and self._commands.is_idle

    def _now_s(self) -> float:
        return self._store.clock.monotonic_s()
