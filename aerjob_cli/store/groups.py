"""Groups of jobs, which are their jobs and nothing else: one is there as long as a job of the store is in it.

Nothing here changes a job.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Status
from aerjob_cli.store.prepared import prepared

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import groups as statements
else:
    statements = prepared("groups")


@dataclass(frozen=True, slots=True)
class GroupSums:
    """What the jobs of a group come to, at one instant.

    ``jobs`` counts them by state, all states included. ``experiments_total`` is None while the circuits of a job have
    not been looked at; jobs that ended before that count for none. ``experiments_left`` are those of the jobs that have
    not ended. ``started_us`` is the first start of a job, ``finished_us`` the last end of one (microseconds since 1970,
    UTC).
    """

    name: str
    jobs: Mapping[Status, int]
    experiments_done: int
    experiments_total: int | None
    experiments_left: int | None
    started_us: int | None
    finished_us: int | None


def sums_of(tx: Connection, name: str) -> GroupSums | None:
    """Add up the jobs of a group, in the database; None where no job is in it."""
    row = tx.execute(statements.SUMS, {"of_group": name}).one()
    counts = {status: int(getattr(row, status.lower())) for status in Status}
    if not any(counts.values()):
        return None
    is_known = not row.unknown
    return GroupSums(
        name=name,
        jobs=counts,
        experiments_done=int(row.experiments_done),
        experiments_total=int(row.experiments_total or 0) if is_known else None,
        experiments_left=int(row.experiments_left or 0) if is_known else None,
        started_us=row.started_us,
        finished_us=row.finished_us,
    )
