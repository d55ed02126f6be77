"""The worker's loop. It claims jobs, feeds executors, enforces limits and writes what came of it.

Single-threaded, and nothing in it waits: circuits run in executors, large results are written by them, and a store
that is locked is asked again on the next turn. It never imports Qiskit.
"""

from __future__ import annotations

import contextlib
import math
import selectors
from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlalchemy import Connection

from aerjob_cli.errors import StoreBusy, StoreFailing, StoreFull
from aerjob_cli.executors.messages import Message
from aerjob_cli.executors.pool import Ended, Executor, Pool, Said, Started
from aerjob_cli.memory import oom_kills
from aerjob_cli.processes import rss_bytes
from aerjob_cli.settings import WorkerSettings
from aerjob_cli.states import Reason
from aerjob_cli.store import claims, lifecycle, workers
from aerjob_cli.store.database import Store
from aerjob_cli.store.doorbell import Doorbell
from aerjob_cli.store.flocks import Flock
from aerjob_cli.store.jobs import has_waiting
from aerjob_cli.store.objects import is_there
from aerjob_cli.store.records import Claim, ClaimedJob, ProcessIdentity
from aerjob_cli.worker import answers, journal, orders
from aerjob_cli.worker.holdings import Holding, Holdings
from aerjob_cli.worker.idlers import Idlers
from aerjob_cli.worker.limits import cause_of_death, memory_is_exceeded, time_is_over
from aerjob_cli.worker.notify import Manager
from aerjob_cli.worker.outcomes import Cancelled, Chunk, Crashed, Done, Failed, GivenBack, Outcome, ValidationReturned
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
_TROUBLES = (StoreBusy, StoreFull, StoreFailing)
_KIND_CHARACTERS = 40
# After the second order to stop: killing takes milliseconds, writing what came of it another few.
_ENDS_TAKE_AT_MOST_S = 5.0
# A validation that takes longer than this no longer keeps others waiting: they get another validator.
_VALIDATION_USUALLY_TAKES_S = 0.5


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
        self._manager = manager
        self._watch = store.watch()
        self._holdings = Holdings()
        self._idlers = Idlers(jobs_per_executor=settings.jobs_per_executor)
        self._runtimes = Runtimes()
        self._writes: list[tuple[Claim, Outcome]] = []
        self._children: tuple[tuple[int, str], ...] = ()
        self._versions: dict[str, str] | None = None
        now_s = self._now_s()
        self._next_beat_s = now_s
        self._next_memory_check_s = now_s
        self._idle_since_s = now_s
        self._trouble_until_s = 0.0
        self._claim_again_s = 0.0
        self._drain_deadline_s: float | None = None
        self._leave_at_s: float | None = None
        self._may_have_work = True
        self._is_superseded = False
        self._end: str | None = None
        selector.register(doorbell.descriptor, selectors.EVENT_READ, self._rung)

    def run(self) -> str:
        """Turn until there is a reason to end, and say which."""
        try:
            while self._end is None:
                self.run_once()
        finally:
            self._watch.close()
        return self._end

    def run_once(self) -> None:
        """One turn of the loop."""
        self._wait_for_events()
        self._heed_signals()
        self._hear_executors()
        self._look_at_store()
        self._enforce_limits()
        self._write_and_claim()
        self._beat()
        self._consider_ending()

    # Waiting

    def _wait_for_events(self) -> None:
        for key, _ in self._selector.select(self._pause_s()):
            wake: Callable[[], None] = key.data
            wake()

    def _pause_s(self) -> float:
        now_s = self._now_s()
        due = [now_s + self._settings.poll_s, self._next_beat_s]
        if self._writes:
            due.append(max(now_s, self._trouble_until_s))
        if len(self._holdings):
            due.append(self._next_memory_check_s)
            due += [
                holding.deadline_s
                for holding in self._holdings
                if holding.deadline_s is not None and holding.ending is None
            ]
            due += [max(holding.note_due_s, self._trouble_until_s) for holding in self._holdings]
        if self._drain_deadline_s is not None:
            due.append(self._drain_deadline_s)
        if self._claim_again_s > now_s:
            due.append(self._claim_again_s)
        return max(0.0, min(due) - now_s)

    def _rung(self) -> None:
        self._doorbell.silence()
        self._may_have_work = True

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
        journal.draining(len(self._holdings))
        self._manager.stopping(len(self._holdings))

    def _note_drain(self) -> None:
        # For those who look; and whoever finds this process killed before its grace is over charges no attempt for it.
        with contextlib.suppress(*_TROUBLES), self._store.writing() as tx:
            workers.request_drain(tx, self._worker_id, now_us=self._store.now_us())

    def _stop_listening(self) -> None:
        self._selector.unregister(self._doorbell.descriptor)
        self._doorbell.take_down()

    @property
    def _is_draining(self) -> bool:
        return self._drain_deadline_s is not None

    # Executors

    def _hear_executors(self) -> None:
        for event in self._pool.poll():
            match event:
                case Started(versions):
                    self._versions = versions
                    journal.executors_ready(versions)
                case Said(executor, message):
                    self._hear(executor, message)
                case Ended():
                    self._bury(event)

    def _hear(self, executor: Executor, message: Message) -> None:
        holding = self._holdings.of(executor)
        if message.kind == "ready" and holding is not None and math.isinf(holding.begun_s):
            # Only now its time runs: starting the first executor takes longer than many jobs.
            holding.begun_s = self._now_s()
            holding.base_rss_bytes = answers.base_rss_of(message)
            holding.claim = replace(holding.claim, runtime_id=self._runtimes.learn(executor, message))
            return
        try:
            if holding is None or message.header.get("ticket") != holding.ticket:
                raise answers.NotAnAnswer("nothing was asked of it")
            outcome = answers.outcome_of(message, holding, self._store.paths)
        except answers.NotAnAnswer:
            journal.stray_message(executor.serial, message.kind)
            self._idlers.forget(executor)
            if holding is None:
                self._pool.kill(executor)
            else:
                self._end_executor(holding, self._out_of_turn(holding, message.kind))
            return
        if holding.ending is not None:
            # It is being ended for another reason; what it says now comes too late.
            return
        self._writes.append((holding.claim, outcome))
        if not answers.is_last(outcome):
            return
        self._holdings.release(holding)
        if isinstance(outcome, GivenBack):
            journal.store_trouble(outcome.why)
            self._claim_again_s = self._now_s() + _UNAVAILING_PAUSE_S
        is_clean = isinstance(outcome, Done) or holding.is_validation
        if not (is_clean and self._idlers.add(executor, for_validation=holding.is_validation)):
            self._idlers.forget(executor)
            self._pool.kill(executor)

    def _bury(self, event: Ended) -> None:
        executor = event.executor
        self._idlers.forget(executor)
        self._runtimes.forget(executor)
        holding = self._holdings.of(executor)
        if holding is None:
            return
        self._holdings.release(holding)
        outcome = holding.ending
        if outcome is None and executor.pid is None:
            # It was never forked: the job has not been begun. Asking again at once would only spin.
            why = "" if event.fault is None else f" ({event.fault})"
            outcome = self._stopped(holding, f"its executor could not be started{why}")
            self._claim_again_s = self._now_s() + _UNAVAILING_PAUSE_S
            self._trouble_until_s = self._now_s() + _TROUBLE_PAUSE_S
        if outcome is None:
            outcome = cause_of_death(holding, event.code, event.fault, event.stderr_tail)
        if isinstance(outcome, Failed) and outcome.stderr_tail is None:
            outcome = replace(outcome, stderr_tail=event.stderr_tail or None)
        self._writes.append((holding.claim, outcome))

    def _end_executor(self, holding: Holding, outcome: Outcome) -> None:
        """Kill the executor of a job; ``outcome`` is written once it is gone."""
        if holding.ending is None:
            holding.ending = outcome
            journal.ending(holding, outcome)
            self._pool.kill(holding.executor)

    # The store

    def _look_at_store(self) -> None:
        try:
            if not self._watch.changed():
                return
            self._may_have_work = True
            with self._store.reading() as tx:
                held = claims.claims_of(tx, self._worker_id)
                wants_drain = workers.is_drain_requested(tx, self._worker_id)
        except _TROUBLES as error:
            if not isinstance(error, StoreBusy):
                journal.store_unread(str(error))
            self._watch.forget()
            return
        written = {(claim.job_seq, claim.token) for claim, _ in self._writes}
        for holding in self._holdings:
            key = (holding.claim.job_seq, holding.claim.token)
            if key not in held and key not in written:
                journal.claim_lost(holding)
                self._end_executor(holding, self._stopped(holding, "its claim was lost"))
            elif held.get(key):
                self._end_executor(holding, Cancelled())
        if wants_drain and not self._is_draining:
            self._drain(self._settings.drain_grace_s)

    def _enforce_limits(self) -> None:
        now_s = self._now_s()
        for holding in self._holdings:
            outcome = time_is_over(holding, now_s)
            if outcome is not None:
                self._end_executor(holding, outcome)
        if len(self._holdings) and now_s >= self._next_memory_check_s:
            self._next_memory_check_s = now_s + self._settings.memory_check_s
            for holding in self._holdings:
                outcome = memory_is_exceeded(holding)
                if outcome is not None:
                    self._end_executor(holding, outcome)

    def _write_and_claim(self) -> None:
        """Write all outcomes and claim new jobs, in one transaction and so with one fsync."""
        if self._now_s() < self._trouble_until_s:
            return
        writes, children = self._writes, self._pool.children()
        has_new_children = self._versions is not None and children != self._children
        now_s = self._now_s()
        may_claim = not self._is_draining and now_s >= self._claim_again_s
        wants_work = self._may_have_work and may_claim
        unnoted = [holding for holding in self._holdings if holding.note_due_s <= now_s]
        if not (writes or wants_work or has_new_children or unnoted):
            return
        now_us = self._store.now_us()
        begun: list[orders.Order] = []
        try:
            with self._store.writing() as tx:
                self._runtimes.write(tx)
                landed = [self._write(tx, claim, outcome, now_us) for claim, outcome in writes]
                if has_new_children:
                    self._note_children(tx, children)
                self._note_executors(tx, unnoted)
                if may_claim and not self._pool.is_broken and self._lock.is_still_named():
                    begun = self._claim(tx, now_us)
        except _TROUBLES as error:
            journal.store_trouble(str(error))
            self._trouble_until_s = self._now_s() + _TROUBLE_PAUSE_S
            return
        self._runtimes.note_written()
        self._children = children if has_new_children else self._children
        for holding in unnoted:
            holding.executor_is_noted = True
        self._writes = []
        # What could not be claimed now can be when an executor is free, and then there is something to write; or when
        # a validation turns out to be long.
        self._may_have_work = not may_claim or any(holding.is_validation for holding in self._holdings)
        for (claim, outcome), has_landed in zip(writes, landed, strict=True):
            if not has_landed:
                journal.write_refused(claim.job_id, claim.attempt, outcome)
                self._end_work_on(claim)
            elif answers.is_last(outcome):
                journal.wrote(claim.job_id, outcome)
        for order in begun:
            try:
                self._feed(order)
            except OSError as error:
                # No descriptors or processes left.
                journal.store_trouble(str(error))
                self._writes.append((order.claimed.claim, self._undone(order, "no executor could be started")))
                self._claim_again_s = self._now_s() + _UNAVAILING_PAUSE_S
                self._trouble_until_s = self._now_s() + _TROUBLE_PAUSE_S

    def _write(self, tx: Connection, claim: Claim, outcome: Outcome, now_us: int) -> bool:
        """Write an outcome and tell whether it landed.

        Results whose files somebody has removed as unreferenced, before this transaction began, are run again.
        """
        if isinstance(outcome, Chunk):
            payloads = (payload for result in outcome.results for payload in (result.payload, *result.arrays))
            if not all(is_there(self._store.paths, payload) for payload in payloads):
                GivenBack("a file of its results was removed").write(tx, claim, now_us)
                return False
        return outcome.write(tx, claim, now_us)

    def _note_children(self, tx: Connection, children: tuple[tuple[int, str], ...]) -> None:
        assert self._versions is not None
        identities = [ProcessIdentity(pid, started) for pid, started in children]
        workers.note_children(
            tx,
            self._worker_id,
            identities,
            qiskit_version=self._versions["qiskit"],
            aer_version=self._versions["aer"],
        )

    def _note_executors(self, tx: Connection, holdings: Iterable[Holding]) -> None:
        started = dict(self._pool.children())
        for holding in holdings:
            pid = holding.executor.pid
            if pid is not None and pid in started:
                # Where this does not land, the claim is lost, of which the store tells in its own time.
                lifecycle.note_executor(tx, holding.claim, pid=pid, started=started[pid])

    def _claim(self, tx: Connection, now_us: int) -> list[orders.Order]:
        running = sum(not holding.is_validation for holding in self._holdings)
        claimed: list[ClaimedJob] = []
        if self._may_validate():
            claimed += claims.claim_validations(tx, self._worker_id, limit=1, now_us=now_us)
        if running < self._settings.slots:
            claimed += claims.claim(tx, self._worker_id, limit=self._settings.slots - running, now_us=now_us)
        return [orders.order_for(tx, item, self._store.paths) for item in claimed]

    def _may_validate(self) -> bool:
        """Allow one validation at a time, and one more for each slot where the others turn out to be long."""
        begun_s = [holding.begun_s for holding in self._holdings if holding.is_validation]
        if not begun_s:
            return True
        all_are_long = self._now_s() - max(begun_s) > _VALIDATION_USUALLY_TAKES_S
        return all_are_long and len(begun_s) <= self._settings.slots

    def _feed(self, order: orders.Order) -> None:
        claimed = order.claimed
        is_validation = order.is_validation
        idler = self._idlers.take(for_validation=is_validation)
        is_ready = idler is not None
        executor = self._pool.fork() if idler is None else idler
        holding = Holding(
            job=claimed.job,
            claim=replace(claimed.claim, runtime_id=self._runtimes.of(executor)),
            executor=executor,
            begun_s=self._now_s() if is_ready else math.inf,
            limit_s=self._settings.validation_limit_s if is_validation else claimed.job.time_limit_s,
            memory_limit_bytes=order.memory_limit_bytes,
            oom_kills_before=oom_kills(),
            base_rss_bytes=rss_bytes(executor.pid) if is_ready and executor.pid is not None else None,
            awaited={position for start, stop in order.missing for position in range(start, stop)},
        )
        self._holdings.add(holding)
        self._pool.send(executor, order.header(holding.ticket, incoming=executor.scratch), order.bodies)
        journal.began(holding)

    # Living and ending

    def _beat(self) -> None:
        now_s = self._now_s()
        if now_s < self._next_beat_s:
            return
        self._next_beat_s = now_s + self._settings.lease_s / _BEATS_PER_LEASE
        try:
            with self._store.writing() as tx:
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
            self._drain_deadline_s = now_s

    def _consider_ending(self) -> None:
        now_s = self._now_s()
        if self._pool.is_broken and not len(self._holdings) and not self._writes:
            why = self._pool.why_broken
            self._end = "executors cannot be started" + (f": {why}" if why else "")
        if len(self._holdings) or self._writes:
            self._idle_since_s = now_s
        if self._is_draining:
            self._consider_ending_drain(now_s)
        elif 0 < self._settings.idle_exit_s <= now_s - self._idle_since_s:
            self._leave_if_nothing_waits()

    def _consider_ending_drain(self, now_s: float) -> None:
        if not len(self._holdings) and not self._writes:
            self._end = SUPERSEDED if self._is_superseded else DRAINED
        elif self._leave_at_s is not None and now_s >= self._leave_at_s:
            # Whatever keeps the ends from being told or written: an order to stop at once is one.
            self._end = "aborted"
        elif self._drain_deadline_s is not None and now_s >= self._drain_deadline_s:
            for holding in self._holdings:
                self._end_executor(holding, self._stopped(holding, "the worker was stopped"))
            # Ended ones are written as they are told of; do not spin until then.
            self._drain_deadline_s = now_s + self._settings.poll_s

    def _leave_if_nothing_waits(self) -> None:
        # From here on a client that rings knows that no worker is there. What came before that is seen here.
        self._stop_listening()
        with self._store.reading() as tx:
            is_wanted = has_waiting(tx)
        if not is_wanted:
            self._end = "idle"
            return
        self._doorbell = Doorbell.hang(self._store.paths.doorbell)
        self._selector.register(self._doorbell.descriptor, selectors.EVENT_READ, self._rung)
        self._may_have_work = True
        self._idle_since_s = self._now_s()

    def _end_work_on(self, claim: Claim) -> None:
        for holding in self._holdings:
            if holding.claim == claim:
                self._end_executor(holding, self._stopped(holding, "its claim was lost"))

    @staticmethod
    def _out_of_turn(holding: Holding, kind: str) -> Outcome:
        message = f"its executor sent {kind[:_KIND_CHARACTERS]!r} out of turn"
        if holding.is_validation:
            return ValidationReturned(message)
        return Crashed(Reason.EXECUTOR_CRASHED, message, None)

    @staticmethod
    def _undone(order: orders.Order, why: str) -> Outcome:
        return ValidationReturned(None) if order.is_validation else GivenBack(why)

    @staticmethod
    def _stopped(holding: Holding, why: str) -> Outcome:
        return ValidationReturned(None) if holding.is_validation else GivenBack(why)

    def _now_s(self) -> float:
        return self._store.clock.monotonic_s()
