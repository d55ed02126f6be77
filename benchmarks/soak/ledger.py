"""What the clients were told, read from the journal: the side of the comparison that the store has no hand in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.soak.journal import Entry, entries_of
from benchmarks.soak.mix import Mix

JOURNAL = "journal.jsonl"


@dataclass
class Ledger:
    """The sum of all entries so far."""

    seed: int | None = None
    mix: Mix | None = None
    disk: bool = False
    begun: int = 0  # how often the soak was started
    worked_s: float = 0.0
    intended: set[int] = field(default_factory=set)
    acknowledged: dict[int, str] = field(default_factory=dict)
    # Tasks whose acknowledgements name different jobs.
    ambiguous: dict[int, set[str]] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    # The first final state that a client saw, and those that saw another one.
    finals: dict[int, Any] = field(default_factory=dict)
    changed: dict[int, list[Any]] = field(default_factory=dict)
    cancels_asked: set[int] = field(default_factory=set)
    cancelled: dict[int, bool] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)
    full_disks: int = 0
    bugs: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path) -> Ledger:
        """Read the ledger of the soak in a folder."""
        ledger = cls()
        for entry in entries_of(folder / JOURNAL):
            ledger.apply(entry)
        return ledger

    @property
    def kills_total(self) -> int:
        return sum(self.kills.values())

    def apply(self, entry: Entry) -> None:
        """Take in one entry."""
        number = entry.get("task")
        match entry["what"]:
            case "begin":
                self.seed, self.mix, self.disk = entry["seed"], Mix.from_json(entry["mix"]), entry["disk"]
                self.begun += 1
            case "worked":
                self.worked_s += entry["s"]
            case "intend":
                self.intended.add(entry["task"])
            case "acknowledged":
                self._acknowledge(entry["task"], entry["id"])
            case "refused":
                self.refusals[entry["code"]] += 1
                self.refused[entry["task"]] = entry["code"]
            case "cancel":
                self.cancels_asked.add(entry["task"])
            case "cancelled":
                self.cancelled[entry["task"]] = entry["answer"]
            case "final":
                seen = [entry["status"], entry["reason"], entry["finished_us"], entry["outcome"]]
                if self.finals.setdefault(entry["task"], seen) != seen:
                    self.changed.setdefault(entry["task"], []).append(seen)
            case "kill":
                self.kills[entry["of"]] += 1
            case "stop":
                self.stops[entry["of"]] += 1
            case "full disk":
                self.full_disks += 1
            case "bug":
                self.bugs.append(f"{number}: {entry['text']}")

    def _acknowledge(self, number: int, job_id: str) -> None:
        first = self.acknowledged.setdefault(number, job_id)
        if first != job_id:
            self.ambiguous.setdefault(number, {first}).add(job_id)
