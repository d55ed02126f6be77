"""Candidates for the completion in a shell."""

from __future__ import annotations

from sqlalchemy import BindParameter, bindparam, select, text

from aerjob_cli.store.tables import jobs

_LIMIT: BindParameter[int] = bindparam("limit")

# Ids and numbers are in the index itself.
_IDS = select(jobs.c.seq, jobs.c.job_id)
LATEST = _IDS.order_by(jobs.c.seq.desc()).limit(_LIMIT)
ALIKE = _IDS.where(jobs.c.job_id >= bindparam("first"), jobs.c.job_id < bindparam("after")).limit(_LIMIT)
KNOWN = select(jobs.c.seq, jobs.c.job_id, jobs.c.status, jobs.c.name).where(
    jobs.c.seq.in_(bindparam("seqs", expanding=True))
)
LATEST_NAMES = select(jobs.c.name).order_by(jobs.c.seq.desc()).limit(_LIMIT)
# From one tag to the next in the index, whatever the number of jobs that have it.
DISTINCT_TAGS = text(
    "WITH RECURSIVE found(tag) AS ("
    " SELECT min(tag) FROM job_tags WHERE tag >= :first AND tag < :after"
    " UNION ALL"
    " SELECT (SELECT min(tag) FROM job_tags WHERE tag > found.tag AND tag < :after) FROM found WHERE tag IS NOT NULL"
    " LIMIT :limit"
    ") SELECT tag FROM found WHERE tag IS NOT NULL"
)
# So is this, from one group to the next.
DISTINCT_GROUPS = text(
    "WITH RECURSIVE found(name) AS ("
    " SELECT min(group_name) FROM jobs WHERE group_name >= :first AND group_name < :after"
    " UNION ALL"
    " SELECT (SELECT min(group_name) FROM jobs WHERE group_name > found.name AND group_name < :after)"
    " FROM found WHERE name IS NOT NULL"
    " LIMIT :limit"
    ") SELECT name FROM found WHERE name IS NOT NULL"
)
