"""The soak itself: a loop that keeps clients at work, injects faults, and now and then has everything audited."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.soak import clients
from benchmarks.soak.assignments import Assignments
from benchmarks.soak.crew import Crew
from benchmarks.soak.disk import SmallDisk
from benchmarks.soak.faults import Faults
from benchmarks.soak.journal import Entry, Journal
from benchmarks.soak.ledger import JOURNAL, Ledger
from benchmarks.soak.mix import Mix
from benchmarks.soak.observer import Sight, observe
from benchmarks.soak.processes import adopt_orphans
from benchmarks.soak.report import progress_line

_TURN_S = 0.02
_SAY_EVERY_S = 10.0
# After the last fault everything must come to its end, the longest job included.
_SETTLED_WITHIN_S = 900.0
_GONE_WITHIN_S = 60.0


@dataclass(frozen=True)
class Orders:
    """What the command line asks for."""

    folder: Path
    seed: int
    kills: int
    minutes: float | None
    audit_every: int
    mix: Mix


class Soak:
    """One start of a soak, from its first turn to its last."""

    def __init__(self, orders: Orders, ledger: Ledger, disk: SmallDisk | None) -> None:
        self._orders = orders
        self._ledger = ledger
        self._journal = Journal(orders.folder / JOURNAL)
        place = orders.folder if disk is None else disk.folder
        self.home = place / "home"
        adopt_orphans()
        self._crew = Crew(self.home, orders.folder)
        self._assignments = Assignments(
            ledger=ledger,
            mix=orders.mix,
            seed=orders.seed,
            crew=self._crew,
            folder=orders.folder,
            note=self._note,
            sync=self._journal.sync,
        )
        source = random.Random(f"faults/{orders.seed}/{ledger.kills_total}")
        self._source = source
        self._faults = Faults(orders.mix, source, self._crew, disk, self._note, self._assignments.victim, ledger.kills)
        self._faults.relent()  # what an earlier start has left
        self._sight: Sight | None = None
        self._gave_up: Counter[str] = Counter()
        self._begun_s = self._counted_s = self._said_s = time.monotonic()
        self._note({"what": "begin", "seed": orders.seed, "mix": orders.mix.as_json(), "disk": disk is not None})

    def disturb(self, kills: int) -> None:
        """Go on until that many kills have hit in all, or the time is over."""
        self._faults.begin(time.monotonic())
        while self._ledger.kills_total < kills and not self.is_late:
            now_s = time.monotonic()
            self._faults.inject(now_s, self._sight)
            if self._faults.just_killed_worker:
                self._faults.just_killed_worker = False
                self._start_with_short_lease()
            self._assignments.keep_going(0 if self._sight is None else self._sight.pending)
            self._turn()

    def settle(self) -> bool:
        """Disturb nothing any more and wait until all is done; return whether that came to be in time."""
        self._faults.relent()
        deadline_s = time.monotonic() + _SETTLED_WITHIN_S
        while time.monotonic() < deadline_s:
            begun_s = time.monotonic()
            pending = 0 if self._sight is None else self._sight.pending
            if self._assignments.finish(pending) and self._sight_is_later_than(begun_s) and not self._sight_pending():
                return True
            self._turn()
        return False

    def audit(self) -> dict[str, Any]:
        """Have a fresh process compare the store with the ledger."""
        self._count_time()
        self._journal.sync()
        command = [sys.executable, "-m", "benchmarks.soak.audit", str(self._orders.folder), str(self.home)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the audit ended with code {done.returncode}: {done.stderr}")
        findings: dict[str, Any] = json.loads(done.stdout)
        return findings

    def leave(self) -> list[str]:
        """Stop the worker as users do, and give the processes that are there still."""
        family = [process for worker in self._sight.workers for process in worker.family] if self._sight else []
        deadline_s = time.monotonic() + _GONE_WITHIN_S
        left = ["unknown"]
        while left and time.monotonic() < deadline_s:
            # More than once: a client that was just leaving may have started a worker.
            stop = self._crew.command("command", ["worker", "stop", "--timeout", "30"])
            while stop.process.pid in self._crew.members:
                self._turn()
            left = self._crew.others(family)
        self._crew.kill_all()
        while self._crew.members:
            self._turn(observed=False)
        self._count_time()
        self._journal.sync()
        return left

    @property
    def is_late(self) -> bool:
        """Whether the time that was given is over."""
        minutes = self._orders.minutes
        return minutes is not None and time.monotonic() - self._begun_s > 60 * minutes

    def _turn(self, *, observed: bool = True) -> None:
        if observed and not self._crew.count("observer"):
            self._crew.fork("observer", observe())
        for _, entry in self._crew.hear(_TURN_S):
            self._hear(entry)
        self._journal.sync()
        if time.monotonic() - self._said_s > _SAY_EVERY_S:
            self._said_s = time.monotonic()
            self._count_time()
            print(progress_line(self._ledger, self._sight, self._gave_up), flush=True)

    def _hear(self, entry: Entry) -> None:
        if entry["what"] == "sight":
            first = self._sight is None
            self._sight = Sight.of(entry)
            if first:
                # What a soak has stopped that was then killed itself.
                for worker in self._sight.workers:
                    for process in worker.family:
                        process.send(signal.SIGCONT)
        elif entry["what"] == "gave up":
            self._gave_up[entry["text"].partition(":")[0]] += 1
        else:
            self._note(entry)
            self._assignments.hear(entry)

    def _note(self, entry: Entry) -> None:
        self._journal.add(entry)
        self._ledger.apply(entry)

    def _count_time(self) -> None:
        now_s = time.monotonic()
        self._note({"what": "worked", "s": round(now_s - self._counted_s, 3)})
        self._counted_s = now_s

    def _start_with_short_lease(self) -> None:
        if self._source.random() < self._orders.mix.short_leases:
            self._crew.fork("starter", clients.start_worker("--lease", str(self._orders.mix.short_lease_s)))

    def _sight_is_later_than(self, time_s: float) -> bool:
        # Who looks at the store may be behind.
        while self._sight is None or self._sight.at_s < time_s:
            self._turn()
            if time.monotonic() - time_s > _GONE_WITHIN_S:
                return False
        return True

    def _sight_pending(self) -> int:
        return 0 if self._sight is None else self._sight.pending
