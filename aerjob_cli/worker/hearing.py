"""What executors say, and what their ends mean: outcomes for the store, and room for the next jobs."""

from __future__ import annotations

from dataclasses import replace

from aerjob_cli.clock import Clock
from aerjob_cli.executors.messages import Message
from aerjob_cli.executors.pool import Ended, Executor, Pool, Said, Started
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Reason
from aerjob_cli.worker import answers, journal
from aerjob_cli.worker.crew import Crew
from aerjob_cli.worker.hands import Hand
from aerjob_cli.worker.holdings import Holding
from aerjob_cli.worker.limits import cause_of_death
from aerjob_cli.worker.outbox import Outbox
from aerjob_cli.worker.outcomes import Cancelled, Crashed, Done, Failed, GivenBack, Outcome, ValidationReturned
from aerjob_cli.worker.runtimes import Runtimes

_KIND_CHARACTERS = 40
_ORDERED = (Cancelled, GivenBack, ValidationReturned)


class Hearing:
    """Turns the events of a pool into outcomes."""

    def __init__(
        self, *, pool: Pool, crew: Crew, outbox: Outbox, runtimes: Runtimes, paths: StorePaths, clock: Clock
    ) -> None:
        self._pool = pool
        self._crew = crew
        self._outbox = outbox
        self._runtimes = runtimes
        self._paths = paths
        self._clock = clock
        self.versions: dict[str, str] | None = None
        # Something kept a job from being run that would do so again at once.
        self.is_unavailing = False
        # No executor could be made of a job's.
        self.is_fruitless = False

    def hear(self) -> None:
        """Take in all that has happened since the last call."""
        for event in self._pool.poll():
            match event:
                case Started(versions):
                    self.versions = versions
                    journal.executors_ready(versions)
                case Said(executor, message):
                    self._hear(executor, message)
                case Ended():
                    self._bury(event)

    def _hear(self, executor: Executor, message: Message) -> None:
        hand = self._crew.hands.of(executor)
        if hand is None:
            return
        if message.kind == "ready" and not hand.is_ready:
            self._begin(hand, message)
            return
        holding = hand.holdings.get(str(message.header.get("ticket")))
        try:
            if holding is None:
                raise answers.NotAnAnswer("nothing was asked of it")
            outcomes = answers.outcomes_of(message, holding, self._paths)
        except answers.NotAnAnswer:
            journal.stray_message(executor.serial, message.kind)
            self._end_for_talk(hand, message.kind)
            return
        if holding.ending is not None:
            # It is being ended for another reason; what it says now comes too late.
            return
        is_last = answers.is_last(outcomes[-1])
        if is_last:
            hand.note_end(answers.seconds_in(message), now_s=self._clock.monotonic_s())
            self._release(hand, holding, outcomes[-1])
        is_routine = isinstance(outcomes[-1], Done) or holding.is_validation or not is_last
        is_urgent = not is_routine or len(hand.holdings) < 2
        for outcome in outcomes:
            self._outbox.add(holding.claim, outcome, now_s=self._clock.monotonic_s(), is_urgent=is_urgent)

    def _begin(self, hand: Hand, message: Message) -> None:
        # Only now the time of its first job runs: starting the first executor takes longer than many jobs.
        now_s = self._clock.monotonic_s()
        hand.progress_s = now_s
        runtime_id = self._runtimes.learn(hand.executor, message)
        for position, holding in enumerate(hand.holdings.values()):
            holding.claim = replace(holding.claim, runtime_id=runtime_id)
            if not position:
                holding.begun_s = now_s
                holding.base_rss_bytes = answers.base_rss_of(message)

    def _release(self, hand: Hand, holding: Holding, outcome: Outcome) -> None:
        hand.release(holding, now_s=self._clock.monotonic_s())
        self._pool.forget(hand.executor, holding.ticket)
        if isinstance(outcome, GivenBack):
            journal.store_trouble(outcome.why)
            self.is_unavailing = True
        is_clean = isinstance(outcome, Done) or holding.is_validation
        is_worn = hand.is_idle and hand.room == 0
        if not is_clean or is_worn:
            self._crew.condemn(holding)
        else:
            self._crew.begin_next(hand, holding)

    def _end_for_talk(self, hand: Hand, kind: str) -> None:
        holding = hand.first
        if holding is None:
            hand.is_condemned = True
            self._pool.kill(hand.executor)
        else:
            self._crew.end(holding, _out_of_turn(holding, kind))

    def _bury(self, event: Ended) -> None:
        executor = event.executor
        self._runtimes.forget(executor)
        hand = self._crew.hands.remove(executor)
        if hand is None:
            return
        if executor.pid is None:
            self._bury_unborn(hand, event)
            return
        self._crew.wait_again(hand, self._blameless(hand, event))
        begun = list(hand.holdings.values())
        sharing = [holding for holding in begun if holding.shares_calls]
        # Those that are ended by order, and not for what they do, have harmed nobody.
        is_ordered = any(isinstance(holding.ending, _ORDERED) for holding in begun)
        for holding in begun:
            if len(sharing) > 1 and holding.shares_calls and not is_ordered:
                # Nobody knows whose fault it is. Each is run for itself, and whoever it was will show.
                self._crew.alone.add(holding.claim.job_seq)
                outcome: Outcome = GivenBack("the executor that it shared with other jobs failed")
            else:
                outcome = self._outcome_of_end(holding, hand, event)
            self._outbox.add(holding.claim, outcome, now_s=self._clock.monotonic_s())

    def _bury_unborn(self, hand: Hand, event: Ended) -> None:
        # It was never forked: no job has been begun. Asking again at once would only spin.
        why = "" if event.fault is None else f" ({event.fault})"
        for holding in hand.holdings.values():
            outcome = holding.ending or holding.stopped(f"its executor could not be started{why}")
            self._outbox.add(holding.claim, outcome, now_s=self._clock.monotonic_s())
            self.is_unavailing = self.is_fruitless = True

    @staticmethod
    def _blameless(hand: Hand, event: Ended) -> list[str]:
        """Name the jobs that have nothing to do with an executor's end, and are begun in another one."""
        blameless = [ticket for ticket in hand.holdings if ticket in event.unbegun]
        if len(blameless) == len(hand.holdings) and not hand.is_condemned:
            # It ended of itself and had begun none. The first is charged for that, or they would be sent for ever.
            blameless = blameless[1:]
        return [ticket for ticket in blameless if hand.holdings[ticket].ending is None]

    def _outcome_of_end(self, holding: Holding, hand: Hand, event: Ended) -> Outcome:
        outcome = holding.ending
        if outcome is None and hand.is_condemned:
            return holding.stopped("its executor was ended because of another job")
        if outcome is None:
            outcome = cause_of_death(holding, event.code, event.fault, event.stderr_tail)
        if isinstance(outcome, Failed) and outcome.stderr_tail is None:
            outcome = replace(outcome, stderr_tail=event.stderr_tail or None)
        return outcome


def _out_of_turn(holding: Holding, kind: str) -> Outcome:
    message = f"its executor sent {kind[:_KIND_CHARACTERS]!r} out of turn"
    if holding.is_validation:
        return ValidationReturned(message)
    return Crashed(Reason.EXECUTOR_CRASHED, message, None)
