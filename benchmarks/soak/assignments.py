"""Who does what: gives clients new tasks, those whose acknowledgement was lost, and jobs to wait for or to cancel."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from benchmarks.soak import clients
from benchmarks.soak.crew import Crew, Member
from benchmarks.soak.journal import Entry
from benchmarks.soak.ledger import Ledger
from benchmarks.soak.mix import Mix
from benchmarks.soak.tasks import SHOTS, Task, task

# Of clients that are not there to be killed.
_SUBMITTERS = 2
_WAITERS = 2
_CANCELLERS = 1
_TASKS_AT_ONCE = 3
_WAITED_FOR_AT_ONCE = 4
_WAITED_FOR_AT_THE_END = 60


class Assignments:
    """Knows from the ledger what is still to be done."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        mix: Mix,
        seed: int,
        crew: Crew,
        folder: Path,
        note: Callable[[Entry], None],
        sync: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._mix = mix
        self._seed = seed
        self._crew = crew
        self._folder = folder
        self._note = note
        self._sync = sync  # what is noted must be on the disk before a client acts on it
        self._source = random.Random(f"assignments/{seed}/{len(ledger.intended)}")
        self._next = max(ledger.intended, default=-1) + 1
        self._unanswered = {
            number for number in ledger.intended - ledger.acknowledged.keys() if task(seed, number, mix).is_keyed
        }
        self._to_await = set(ledger.acknowledged.keys() - ledger.finals.keys())
        self._to_cancel = {
            number
            for number in ledger.acknowledged.keys() - ledger.cancelled.keys()
            if task(seed, number, mix).is_cancelled
        }

    def hear(self, entry: Entry) -> None:
        """Take in what a client has learned."""
        number = entry.get("task", -1)
        match entry["what"]:
            case "acknowledged":
                self._unanswered.discard(number)
                if number not in self._ledger.finals:
                    self._to_await.add(number)
                if self._task(number).is_cancelled and number not in self._ledger.cancelled:
                    self._to_cancel.add(number)
            case "final":
                self._to_await.discard(number)
                # It has ended without.
                self._to_cancel.discard(number)
            case "cancelled":
                self._to_cancel.discard(number)
            case "missing":
                # The audit will say so; nobody need look for it again.
                self._to_await.discard(number)
                self._to_cancel.discard(number)

    def keep_going(self, pending: int) -> None:
        """Have as much submitted, awaited and cancelled as is meant to be under way."""
        if pending < self._mix.pending_jobs and self._crew.count("submitter") < _SUBMITTERS:
            self.submitter()
        if self._crew.count("waiter") < _WAITERS:
            self.waiter()
        if self._crew.count("canceller") < _CANCELLERS and (self._has_endless() or self._source.random() < 0.2):
            self.canceller()

    def _has_endless(self) -> bool:
        # They keep others from running.
        return any(self._task(number).kind == "endless" for number in self._to_cancel)

    def finish(self, pending: int) -> bool:
        """Have done what is left, without anything new; tell whether all is."""
        busy = self._crew.busy_with()
        if self._unanswered - busy and self._crew.count("submitter") < _SUBMITTERS:
            self._submit(sorted(self._unanswered - busy)[:_TASKS_AT_ONCE], wait=False)
        if self._crew.count("canceller") < _CANCELLERS:
            self.canceller()
        if self._crew.count("waiter") < _WAITERS:
            self.waiter(at_once=_WAITED_FOR_AT_THE_END)
        if pending and not self._crew.count("waiter"):
            # Of some jobs nobody knows the id.
            self._crew.fork("waiter", clients.wait_for_all())
        idle = not any(self._crew.count(kind) for kind in ("submitter", "waiter", "canceller"))
        return idle and not (self._unanswered or self._to_await or self._to_cancel or pending)

    def victim(self, kind: str) -> Member | None:
        """Make a client that is to be killed; None where there is nothing for it to do."""
        match kind:
            case "submitter":
                return self.submitter()
            case "waiter":
                return self.waiter()
            case "canceller":
                return self.canceller(any_job=True)
        return self._command()

    def submitter(self) -> Member:
        """Have tasks submitted: such whose acknowledgement never came, or new ones."""
        waiting = sorted(self._unanswered - self._crew.busy_with())
        if waiting and self._source.random() < 0.5:
            numbers = waiting[:_TASKS_AT_ONCE]
        else:
            numbers = self._new(self._source.randint(1, _TASKS_AT_ONCE))
        return self._submit(numbers, wait=self._source.random() < 0.3)

    def waiter(self, *, at_once: int = _WAITED_FOR_AT_ONCE) -> Member | None:
        """Have jobs awaited, the earlier ones sooner."""
        waiting = sorted(self._to_await)[: 4 * at_once]
        if not waiting:
            return None
        chosen = self._source.sample(waiting, min(at_once, len(waiting)))
        return self._crew.fork("waiter", clients.wait([self._known(number) for number in chosen]), tuple(chosen))

    def canceller(self, *, any_job: bool = False) -> Member | None:
        """Have jobs cancelled that are to be; one that is killed may also be about one that has long ended."""
        chosen = sorted(self._to_cancel, key=lambda number: (self._task(number).kind != "endless", number))[:2]
        if not chosen and any_job:
            known = self._ledger.cancels_asked & self._ledger.acknowledged.keys()
            chosen = self._source.sample(sorted(known), min(1, len(known)))
        if not chosen:
            return None
        for number in chosen:
            self._note({"what": "cancel", "task": number})
        self._sync()
        return self._crew.fork("canceller", clients.cancel([self._known(number) for number in chosen]), tuple(chosen))

    def _submit(self, numbers: list[int], *, wait: bool) -> Member:
        self._sync()
        first = self._task(numbers[0])
        if first.is_command:
            return self._submit_command(first)
        tasks = [self._task(number) for number in numbers if not self._task(number).is_command]
        return self._crew.fork("submitter", clients.submit(tasks, wait=wait), tuple(item.number for item in tasks))

    def _new(self, count: int) -> list[int]:
        numbers = [self._next]
        # A real command takes one task, and one of its kind.
        while len(numbers) < count and not any(self._task(at).is_command for at in (numbers[0], numbers[-1] + 1)):
            numbers.append(numbers[-1] + 1)
        self._next = numbers[-1] + 1
        for number in numbers:
            self._note({"what": "intend", "task": number})
            if self._task(number).is_keyed:
                self._unanswered.add(number)
        return numbers

    def _command(self) -> Member:
        """Start a real `aerjob` that is to be killed; those that submit are among the submitters."""
        known = sorted(self._to_await)
        verb = self._source.choice(["wait", "list", "status"])
        if verb == "list" or not known:
            return self._crew.command("command", ["list"])
        job_id = self._ledger.acknowledged[self._source.choice(known)]
        timeout = ["--timeout", "5"] if verb == "wait" else []
        return self._crew.command("command", [verb, job_id, *timeout])

    def _submit_command(self, item: Task) -> Member:
        files = []
        for at, text in enumerate(item.texts):
            path = self._folder / f"{item.kind}-{item.variant}-{at}.qasm"
            path.write_text(text, encoding="utf-8")
            files.append(str(path))
        options = ["--one-job", "--shots", str(SHOTS), "--seed", str(item.simulator_seed), "--name", item.name]
        options += ["--max-attempts", str(item.max_attempts)]
        options += ["--idempotency-key", item.name] if item.is_keyed else []
        return self._crew.command("command submit", ["submit", *files, *options], (item.number,))

    def _task(self, number: int) -> Task:
        return task(self._seed, number, self._mix)

    def _known(self, number: int) -> tuple[Task, str]:
        return self._task(number), self._ledger.acknowledged[number]
