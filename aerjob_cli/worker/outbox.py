"""Outcomes that wait to be written, and the writing of many in one transaction: with few statements and one fsync."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Connection

from aerjob_cli.settings import StorePaths
from aerjob_cli.store import deliveries
from aerjob_cli.store.objects import is_there
from aerjob_cli.store.records import Claim
from aerjob_cli.worker.outcomes import Accepted, Chunk, Done, GivenBack, Outcome

# While an executor goes on with the next job, the end of the one before it may wait for others to be written with it.
_MORE_MAY_COME_S = 0.03

Entry = tuple[Claim, Outcome]


@dataclass
class Outbox:
    """What came of claims, in the order in which it came."""

    entries: list[Entry] = field(default_factory=list)
    due_s: float = math.inf

    def add(self, claim: Claim, outcome: Outcome, *, now_s: float, is_urgent: bool = True) -> None:
        """Have an outcome written, at once or together with what comes in the next moment."""
        self.entries.append((claim, outcome))
        self.due_s = min(self.due_s, now_s if is_urgent else now_s + _MORE_MAY_COME_S)

    def claims(self) -> set[deliveries.Key]:
        """Name the claims of which something waits to be written."""
        return {deliveries.key_of(claim) for claim, _ in self.entries}

    def clear(self) -> None:
        """Forget what has been committed."""
        self.entries, self.due_s = [], math.inf


def write(tx: Connection, entries: Collection[Entry], paths: StorePaths, *, now_us: int) -> list[bool]:
    """Write outcomes, and tell of each whether it landed: whether its claim still held.

    Results whose files somebody has removed as unreferenced, before this transaction began, are run again.
    """
    landed: dict[int, bool] = {}
    chunks, verdicts, ends, others = [], [], [], []
    for place, (claim, outcome) in enumerate(entries):
        match outcome:
            case Chunk(results) if _have_files(outcome, paths):
                chunks.append((place, (claim, results)))
            case Chunk():
                GivenBack("a file of its results was removed").write(tx, claim, now_us)
                landed[place] = False
            case Accepted(total, threads, estimated_bytes):
                verdicts.append((place, (claim, total, threads, estimated_bytes)))
            case Done(engine):
                ends.append((place, (claim, engine)))
            case _:
                others.append((place, claim, outcome))
    # Results first: an end counts them.
    recorded = deliveries.record(tx, [item for _, item in chunks])
    accepted = deliveries.accept(tx, [item for _, item in verdicts], now_us=now_us)
    finished = deliveries.finish(tx, [item for _, item in ends], now_us=now_us)
    landed |= {place: deliveries.key_of(item[0]) in recorded for place, item in chunks}
    landed |= {place: deliveries.key_of(item[0]) in accepted for place, item in verdicts}
    landed |= {place: deliveries.key_of(item[0]) in finished for place, item in ends}
    for place, claim, other in others:
        landed[place] = other.write(tx, claim, now_us)
    return [landed[place] for place in range(len(entries))]


def _have_files(chunk: Chunk, paths: StorePaths) -> bool:
    payloads = (payload for result in chunk.results for payload in (result.payload, *result.arrays))
    return all(is_there(paths, payload) for payload in payloads)
