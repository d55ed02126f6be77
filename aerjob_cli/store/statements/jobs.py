"""Looking jobs up."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import Select, Text, and_, bindparam, case, func, or_, select, text, type_coerce

from aerjob_cli.states import PENDING, UNDECIDED, After, Status
from aerjob_cli.store import tables
from aerjob_cli.store.records import FROM_OTHER_TABLES, WAITED_FOR_NAMED, JobRecord
from aerjob_cli.store.tables import dependencies, job_tags, jobs

_TAGS = type_coerce(
    select(func.json_group_array(job_tags.c.tag)).where(job_tags.c.job_seq == jobs.c.seq).scalar_subquery(), Text
).label("tags")

_AWAITED = jobs.alias("awaited")
# In the order of the table's key, so that nothing is sorted.
_FIRST_AWAITED = (
    select(_AWAITED.c.job_id)
    .select_from(dependencies)
    .join(_AWAITED, _AWAITED.c.seq == dependencies.c.on_seq)
    .where(
        dependencies.c.job_seq == jobs.c.seq,
        _AWAITED.c.finished_us.is_(None),
        or_(dependencies.c.kind != After.ANY_DONE, jobs.c.unmet_any == 1),
    )
    .order_by(dependencies.c.on_seq)
    .limit(WAITED_FOR_NAMED)
    .correlate(jobs)
    .subquery("first_awaited")
)
_WAITS_FOR = type_coerce(
    case(
        (
            and_(jobs.c.finished_us.is_(None), jobs.c.waits > 0),
            select(func.json_group_array(_FIRST_AWAITED.c.job_id)).scalar_subquery(),
        )
    ),
    Text,
).label("waits_for")

JOB_COLUMNS = [jobs.c[field.name] for field in fields(JobRecord) if field.name not in FROM_OTHER_TABLES]

# In the form that ``jobs.record_of`` takes.
ALL: Select[*tuple[Any, ...]] = select(*JOB_COLUMNS, _TAGS, _WAITS_FOR)
BY_ID = ALL.where(jobs.c.job_id == bindparam("job_id"))
BY_IDS = ALL.where(jobs.c.job_id.in_(bindparam("job_ids", expanding=True)))
BY_SEQS = ALL.where(jobs.c.seq.in_(bindparam("seqs", expanding=True)))
# Of those that were submitted here: the numbers of others are negative (`imports`).
LAST = ALL.where(jobs.c.seq > 0).order_by(jobs.c.seq.desc()).limit(1)
# A range, not LIKE, so that the unique index answers.
BY_BEGINNING = (
    ALL.where(jobs.c.job_id >= bindparam("first"), jobs.c.job_id < bindparam("after"))
    .order_by(jobs.c.job_id)
    .limit(bindparam("limit"))
)
ID_OF = select(jobs.c.job_id).where(jobs.c.seq == bindparam("seq"))
IDS_OF = select(jobs.c.seq, jobs.c.job_id).where(jobs.c.seq.in_(bindparam("seqs", expanding=True)))
ENDS = select(jobs.c.seq, jobs.c.finished_us).where(jobs.c.seq.in_(bindparam("seqs", expanding=True)))

# Without the index of ids, which may be damaged.
AMONG_THE_LATEST = text(
    "SELECT 1 FROM (SELECT job_id FROM jobs NOT INDEXED ORDER BY seq DESC LIMIT :latest) AS latest "
    "WHERE job_id = :job_id LIMIT 1"
)
BEFORE = (
    select(jobs.c.job_id, jobs.c.seq)
    .where(jobs.c.job_id < bindparam("job_id"))
    .order_by(jobs.c.job_id.desc())
    .limit(bindparam("limit"))
)
AFTER = (
    select(jobs.c.job_id, jobs.c.seq)
    .where(jobs.c.job_id > bindparam("job_id"))
    .order_by(jobs.c.job_id)
    .limit(bindparam("limit"))
)

# "finished_us IS NULL" is what lets the small index of pending jobs answer.
_IS_PENDING = jobs.c.finished_us.is_(None)
ANY_PENDING = select(jobs.c.seq).where(_IS_PENDING, jobs.c.status.in_(bindparam("statuses", expanding=True))).limit(1)
PENDING_BY_STATUS = (
    select(jobs.c.status, func.count()).where(_IS_PENDING, jobs.c.status.in_(sorted(PENDING))).group_by(jobs.c.status)
)
# Those that the passing of time alone will let start.
ANY_WITH_TIME = (
    select(jobs.c.seq)
    .where(_IS_PENDING, jobs.c.begin_us.is_not(None), jobs.c.waits == 1)
    .order_by(jobs.c.begin_us)
    .limit(1)
)
RUNNING_OF = (
    select(jobs.c.job_id)
    .where(_IS_PENDING, jobs.c.status == Status.RUNNING, jobs.c.worker_id == bindparam("of_worker"))
    .order_by(jobs.c.seq)
)
FIRST_IN = (
    select(jobs.c.seq)
    .where(
        _IS_PENDING,
        jobs.c.status == bindparam("status"),
        jobs.c.seq.between(bindparam("low"), bindparam("high")),
    )
    .order_by(jobs.c.seq)
    .limit(1)
)
UNDECIDED_OF = (
    select(jobs.c.seq).where(jobs.c.seq.in_(bindparam("seqs", expanding=True)), jobs.c.status.in_(UNDECIDED)).limit(1)
)
RETRIES_OF = select(jobs.c.job_id).where(jobs.c.retry_of == bindparam("job_id")).order_by(jobs.c.seq)

# How many are before one in the queue: those of a higher priority, and earlier ones of the same. Apart, each is a
# stretch of the queue's index.
_MORE_URGENT = (
    select(jobs.c.seq)
    .where(tables.IS_QUEUED, jobs.c.priority > bindparam("priority"))
    .limit(bindparam("limit"))
    .subquery()
)
_EARLIER = (
    select(jobs.c.seq)
    .where(tables.IS_QUEUED, jobs.c.priority == bindparam("priority"), jobs.c.seq <= bindparam("seq"))
    .limit(bindparam("limit"))
    .subquery()
)
QUEUED_UP_TO = select(*(select(func.count()).select_from(some).scalar_subquery() for some in (_MORE_URGENT, _EARLIER)))
QUEUE = (
    select(jobs.c.seq).where(tables.IS_QUEUED).order_by(jobs.c.priority.desc(), jobs.c.seq).limit(bindparam("limit"))
)
