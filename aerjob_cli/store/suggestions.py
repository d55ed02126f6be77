"""A few ids, names and tags that begin as somebody has typed, for the completion in a shell. Each query is bounded."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from aerjob_cli.states import Status
from aerjob_cli.store.tables import jobs

# What a list of candidates can be looked through.
AT_MOST = 50
# Those of the latest jobs are the ones that somebody means.
_LOOKED_AT_FOR_NAMES = 500
_LOOKED_AT_FOR_IDS = 5000
_LATEST_LOOKED_AT = 1000
_AFTER_ALL = "\U0010ffff"

# From one tag to the next in the index, whatever the number of jobs that have it.
_DISTINCT_TAGS = text(
    "WITH RECURSIVE found(tag) AS ("
    " SELECT min(tag) FROM job_tags WHERE tag >= :first AND tag < :after"
    " UNION ALL"
    " SELECT (SELECT min(tag) FROM job_tags WHERE tag > found.tag AND tag < :after) FROM found WHERE tag IS NOT NULL"
    " LIMIT :limit"
    ") SELECT tag FROM found WHERE tag IS NOT NULL"
)


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
    latest = select(jobs.c.seq, jobs.c.job_id).order_by(jobs.c.seq.desc())
    if not prefix:
        found = tx.execute(latest.limit(AT_MOST)).all()
    else:
        # Ids and numbers are in the index itself.
        alike = select(jobs.c.seq, jobs.c.job_id).where(jobs.c.job_id >= prefix, jobs.c.job_id < prefix + _AFTER_ALL)
        found = tx.execute(alike.limit(_LOOKED_AT_FOR_IDS)).all()
        if len(found) == _LOOKED_AT_FOR_IDS:
            some = tx.execute(latest.limit(_LATEST_LOOKED_AT))
            found = [row for row in some if row.job_id.startswith(prefix)]
    seqs = sorted((row.seq for row in found), reverse=True)[:AT_MOST]
    query = select(jobs.c.seq, jobs.c.job_id, jobs.c.status, jobs.c.name).where(jobs.c.seq.in_(seqs))
    known = sorted(tx.execute(query), key=lambda row: row.seq, reverse=True)
    return [KnownJob(row.job_id, Status(row.status), row.name) for row in known]


def known_names(tx: Connection, prefix: str) -> list[str]:
    """Give names of the latest jobs that begin like this, the last used first, no more than ``AT_MOST``."""
    latest = tx.execute(select(jobs.c.name).order_by(jobs.c.seq.desc()).limit(_LOOKED_AT_FOR_NAMES)).scalars()
    names = dict.fromkeys(name for name in latest if name is not None and name.startswith(prefix))
    return list(names)[:AT_MOST]


def known_tags(tx: Connection, prefix: str) -> list[str]:
    """Give the tags that begin like this, in their order, no more than ``AT_MOST``."""
    limits = {"first": prefix, "after": prefix + _AFTER_ALL, "limit": AT_MOST}
    return [str(tag) for tag in tx.execute(_DISTINCT_TAGS, limits).scalars()]
