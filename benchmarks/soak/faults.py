"""Injects the faults: whom a signal hits and when, which process is stopped for how long, when the disk is full."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.soak.crew import Crew, Member
from benchmarks.soak.disk import SmallDisk
from benchmarks.soak.journal import Entry
from benchmarks.soak.mix import Mix
from benchmarks.soak.observer import Sight
from benchmarks.soak.processes import Process

# The kill comes at any time until a client has something to say, and for as long again; every other time when it is
# about to learn of a commit, or has just made one. As a share of the time until its first word.
_WHOLE_LIFE = (0.0, 2.0)
_DECISIVE_PART = (0.7, 1.1)
# What was seen longer ago is not aimed at.
_SIGHT_LASTS_S = 1.5

# A draw is more likely to fall on a kind the more it is behind its share of this many kills.
_OWED_AT_MOST = 40
# Kills that found nobody are made up for if they are no older.
_OWED_FOR_S = 1.0

_ATTEMPTS_NOT_SPARED = 12
_SPARED_FOR_S = 5.0

_FAMILY = ("worker", "template", "executor")
CLIENTS = ("submitter", "waiter", "canceller", "command")


@dataclass
class Faults:
    """All that disturbs. ``victim`` makes a client that is to be killed; None where there is nothing for it to do."""

    mix: Mix
    source: random.Random
    crew: Crew
    disk: SmallDisk | None
    note: Callable[[Entry], None]
    victim: Callable[[str], Member | None]
    hits: Counter[str]  # of SIGKILLs until now, by whom they hit
    times_all: int = 0
    _next_kill_s: float = 0.0
    _next_stop_s: float = 0.0
    _stop_next: str = ""
    _next_full_s: float = 0.0
    _doomed: list[tuple[float, str, Member]] = field(default_factory=list)
    _stopped: list[tuple[float, Process]] = field(default_factory=list)
    _full_until_s: float | None = None
    _killed: set[Process] = field(default_factory=set)
    _fates: dict[Process, tuple[float, bool]] = field(default_factory=dict)
    just_killed_worker: bool = False

    def begin(self, now_s: float) -> None:
        """Count the times from now on."""
        self._next_kill_s = now_s
        self._stop_next = self._chosen(self.mix.stops)
        self._next_stop_s = now_s + self._after(self.mix.stops_per_s)
        self._next_full_s = now_s + self._after(self.mix.full_disks_per_s)

    def inject(self, now_s: float, sight: Sight | None) -> None:
        """Do what is due."""
        self._carry_out(now_s)
        # What could not hit, since nobody was there, hits a little later; not all of it at once.
        self._next_kill_s = max(self._next_kill_s, now_s - _OWED_FOR_S)
        if now_s >= self._next_kill_s and self._kill(self._most_owed(), now_s, sight):
            self._next_kill_s += self._after(self.mix.kills_per_s)
        if now_s >= self._next_stop_s and self._stop(self._stop_next, now_s, sight):
            self._next_stop_s = now_s + self._after(self.mix.stops_per_s)
            self._stop_next = self._chosen(self.mix.stops)
        if self.disk is not None and now_s >= self._next_full_s and self._full_until_s is None:
            self._full_until_s = now_s + self.source.uniform(*self.mix.full_disk_s)
            self._next_full_s = self._full_until_s + self._after(self.mix.full_disks_per_s)
            self.disk.fill()
            self.note({"what": "full disk"})

    def relent(self) -> None:
        """Undo what can be undone: let the stopped go on, give the disk its room."""
        self._doomed.clear()
        for _, process in self._stopped:
            process.send(signal.SIGCONT)
        self._stopped.clear()
        self._full_until_s = None
        if self.disk is not None:
            self.disk.free()

    def _carry_out(self, now_s: float) -> None:
        for due in [due for due in self._doomed if due[0] <= now_s]:
            self._doomed.remove(due)
            self._kill_one(due[1], due[2].process)
        for stopped in [stopped for stopped in self._stopped if stopped[0] <= now_s]:
            self._stopped.remove(stopped)
            stopped[1].send(signal.SIGCONT)
        if self._full_until_s is not None and now_s >= self._full_until_s and self.disk is not None:
            self._full_until_s = None
            self.disk.free()

    def _kill(self, kind: str, now_s: float, sight: Sight | None) -> bool:
        """Kill one of a kind, now or, if it has just begun, soon; return whether there was one."""
        if kind in CLIENTS:
            member = self.victim(kind)
            if member is None:
                return False
            life = self.source.choice((_WHOLE_LIFE, _DECISIVE_PART))
            lives_s = self.crew.speaks_after_s(member) * self.source.uniform(*life)
            self._doomed.append((now_s + lives_s, kind, member))
            return True
        if kind != "all":
            seen = self._seen(kind, now_s, sight)
            if kind == "executor" and sight is not None:
                seen = [process for process in seen if not self._is_spared(process, now_s, sight.attempt)]
            return bool(seen) and self._kill_one(kind, self.source.choice(seen))
        families = [(role, process) for role in _FAMILY for process in self._seen(role, now_s, sight)]
        clients = [(member.kind, member.process) for member in self.crew.members.values() if member.kind in CLIENTS]
        hits = [self._kill_one(role, process) for role, process in families + clients]
        self.times_all += any(hits)
        return any(hits)

    def _is_spared(self, process: Process, now_s: float, attempt: int) -> bool:
        """Spare the more executors the more attempts were in vain, or a long job would keep all others from running."""
        decided_s, is_spared = self._fates.get(process, (0.0, False))
        if now_s - decided_s > _SPARED_FOR_S:
            is_spared = self.source.random() > _ATTEMPTS_NOT_SPARED / attempt
            self._fates[process] = now_s, is_spared
        return is_spared

    def _kill_one(self, kind: str, process: Process) -> bool:
        has_hit = process.send(signal.SIGKILL)
        if has_hit:
            self._killed.add(process)
            self.note({"what": "kill", "of": kind})
            self.just_killed_worker |= kind == "worker"
        return has_hit

    def _stop(self, kind: str, now_s: float, sight: Sight | None) -> bool:
        seen = self._seen(kind, now_s, sight)
        if not seen:
            return False
        process = self.source.choice(seen)
        is_long = self.source.random() < self.mix.long_stops
        lasts_s = self.source.uniform(*(self.mix.long_stop_s if is_long else self.mix.stop_s))
        has_hit = process.send(signal.SIGSTOP)
        if has_hit:
            self._stopped.append((now_s + lasts_s, process))
            self.note({"what": "stop", "of": kind})
        return has_hit

    def _seen(self, kind: str, now_s: float, sight: Sight | None) -> list[Process]:
        if sight is None or now_s - sight.at_s > _SIGHT_LASTS_S:
            return []
        found: list[Process] = []
        for worker in sight.workers:
            if kind == "worker":
                found.append(worker.process)
            elif kind == "template" and worker.template is not None:
                found.append(worker.template)
            elif kind == "executor":
                found += worker.executors
        return [process for process in found if process not in self._killed and process.is_running()]

    def _most_owed(self) -> str:
        """Choose whom to kill so that the shares come to be what the mix says, whoever was there until now."""
        shares, hits = self.mix.kills, self.hits + Counter({"all": self.times_all})
        total = sum(hits.values()) + _OWED_AT_MOST
        owed = {kind: max(0.0, share * total / sum(shares.values()) - hits[kind]) for kind, share in shares.items()}
        return self._chosen(owed)

    def _chosen(self, shares: dict[str, float]) -> str:
        return self.source.choices(list(shares), list(shares.values()))[0]

    def _after(self, per_s: float) -> float:
        return self.source.expovariate(per_s) if per_s > 0 else float("inf")
