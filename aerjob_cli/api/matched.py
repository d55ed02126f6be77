"""Jobs that something is to be done with: those that somebody has named, or all that fit a filter.

What has been named must be there, and all of it. Of what fitted when it was looked, that is left alone which fits no
longer when its turn comes: others may have got at it first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from aerjob_cli.errors import JobNotFound
from aerjob_cli.frozen import dataclass
from aerjob_cli.store import jobs
from aerjob_cli.store.listing import JobFilter, still_fitting
from aerjob_cli.store.parts import in_parts
from aerjob_cli.store.records import JobRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class Matched:
    """The jobs that fitted a filter, by their sequence numbers, the first submitted first."""

    wanted: JobFilter
    seqs: Sequence[int]

    def parts(self, size: int) -> Iterator[Matched]:
        """Give them in their order, up to ``size`` at a time."""
        return (replace(self, seqs=part) for part in in_parts(self.seqs, size))


Meant = Sequence[JobRecord] | Matched


def latest(tx: Connection, meant: Meant) -> list[JobRecord]:
    """Give the jobs as they are now, each once; of a filter's, those that fit still. Raises ``JobNotFound``."""
    if isinstance(meant, Matched):
        return jobs.find_all(tx, still_fitting(tx, meant.wanted, meant.seqs))
    found = jobs.find_many(tx, [record.seq for record in meant])
    _require_all(found, meant)
    return [found[seq] for seq in dict.fromkeys(record.seq for record in meant)]


def as_they_are(tx: Connection, meant: Meant) -> list[JobRecord]:
    """Give the jobs as they are now, whether they fit still or not; one that is gone is left out."""
    seqs = meant.seqs if isinstance(meant, Matched) else [record.seq for record in meant]
    found = jobs.find_many(tx, seqs)
    return [found[seq] for seq in dict.fromkeys(seqs) if seq in found]


def _require_all(found: Collection[int], records: Sequence[JobRecord]) -> None:
    """Raise ``JobNotFound`` where a job is not among those that were found, by their sequence numbers."""
    for record in records:
        if record.seq not in found:
            raise JobNotFound(record.job_id)
