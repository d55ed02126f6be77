"""A few ids, names and tags that begin as somebody has typed, for the completion in a shell. Each query is bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Status
from aerjob_cli.store.prepared import prepared

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import suggestions as statements
else:
    statements = prepared("suggestions")

# What a list of candidates can be looked through.
AT_MOST = 50
# Those of the latest jobs are the ones that somebody means.
_LOOKED_AT_FOR_NAMES = 500
_LOOKED_AT_FOR_IDS = 5000
_LATEST_LOOKED_AT = 1000
_AFTER_ALL = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class KnownJob:
    """As much of a job as tells it from others."""

    job_id: str
    status: Status
    name: str | None


def known_jobs(tx: Connection, prefix: str) -> list[KnownJob]:
    """Give the jobs whose ids begin like this, the last submitted first, no more than ``AT_MOST``.

    Where more begin so than can be looked through, those among the latest jobs are given.
    """
    if not prefix:
        found = tx.execute(statements.LATEST, {"limit": AT_MOST}).all()
    else:
        alike = {"first": prefix, "after": prefix + _AFTER_ALL, "limit": _LOOKED_AT_FOR_IDS}
        found = tx.execute(statements.ALIKE, alike).all()
        if len(found) == _LOOKED_AT_FOR_IDS:
            some = tx.execute(statements.LATEST, {"limit": _LATEST_LOOKED_AT})
            found = [row for row in some if row.job_id.startswith(prefix)]
    seqs = sorted((row.seq for row in found), reverse=True)[:AT_MOST]
    known = sorted(tx.execute(statements.KNOWN, {"seqs": seqs}), key=lambda row: row.seq, reverse=True)
    return [KnownJob(row.job_id, Status(row.status), row.name) for row in known]


def known_names(tx: Connection, prefix: str) -> list[str]:
    """Give names of the latest jobs that begin like this, the last used first, no more than ``AT_MOST``."""
    latest = tx.execute(statements.LATEST_NAMES, {"limit": _LOOKED_AT_FOR_NAMES}).scalars()
    names = dict.fromkeys(name for name in latest if name is not None and name.startswith(prefix))
    return list(names)[:AT_MOST]


def known_groups(tx: Connection, prefix: str) -> list[str]:
    """Give the groups whose names begin like this, in their order, no more than ``AT_MOST``."""
    limits = {"first": prefix, "after": prefix + _AFTER_ALL, "limit": AT_MOST}
    return [str(name) for name in tx.execute(statements.DISTINCT_GROUPS, limits).scalars()]


def known_tags(tx: Connection, prefix: str) -> list[str]:
    """Give the tags that begin like this, in their order, no more than ``AT_MOST``."""
    limits = {"first": prefix, "after": prefix + _AFTER_ALL, "limit": AT_MOST}
    return [str(tag) for tag in tx.execute(statements.DISTINCT_TAGS, limits).scalars()]
