"""Looking jobs up: by id, by prefix, in the queue. Nothing here changes a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, Select, Text, bindparam, func, select, text, type_coerce

from aerjob_cli.errors import AmbiguousJobId, JobNotFound
from aerjob_cli.states import PENDING, Reason, Status
from aerjob_cli.store.columns import RowDamaged, complete, parsed
from aerjob_cli.store.records import JobRecord
from aerjob_cli.store.tables import IS_QUEUED, job_tags, jobs

SHORTEST_PREFIX = 4
_CANDIDATES_SHOWN = 6

_TAGS = type_coerce(
    select(func.json_group_array(job_tags.c.tag)).where(job_tags.c.job_seq == jobs.c.seq).scalar_subquery(), Text
).label("tags")

JOB_COLUMNS = [jobs.c[field.name] for field in fields(JobRecord) if field.name != "tags"]
_NEEDED = [column.name for column in JOB_COLUMNS if not column.nullable]

# Built once: to build a statement, and to find its compiled form, takes longer than to run it.
_ALL: Select[tuple[object, ...]] = select(*JOB_COLUMNS, _TAGS)
_BY_ID = _ALL.where(jobs.c.job_id == bindparam("job_id"))
_BY_SEQS = _ALL.where(jobs.c.seq.in_(bindparam("seqs", expanding=True)))
_ID_OF = select(jobs.c.job_id).where(jobs.c.seq == bindparam("seq"))
_ENDS = select(jobs.c.seq, jobs.c.finished_us).where(jobs.c.seq.in_(bindparam("seqs", expanding=True)))
_SEQS_AT_ONCE = 500  # below SQLite's limit of parameters in any build

# Without the index of ids, which may be damaged.
_IN_THE_TABLE_ITSELF = text("SELECT seq FROM jobs NOT INDEXED WHERE job_id = :job_id LIMIT 1")
_ID_CHARACTERS = 36


def record_of(row: Row[tuple[object, ...]]) -> JobRecord:
    """Make the record of a row that has at least ``JOB_COLUMNS``; raises ``RowDamaged``."""
    complete(row, _NEEDED)
    return record_from(row._mapping)


def record_from(columns: RowMapping | Mapping[str, Any]) -> JobRecord:
    """Make a record of the values of ``JOB_COLUMNS``, by their names, and of its tags as JSON."""
    values: dict[str, Any] = dict(columns)
    values["status"] = Status(values["status"])
    values["reason"] = None if values["reason"] is None else Reason(values["reason"])
    values["options"] = parsed(values["options"], dict)
    values["metadata"] = parsed(values["metadata"], dict)
    values["submitted_by"] = parsed(values["submitted_by"] or "{}", dict)
    values["memory"] = bool(values["memory"])
    values["counts_required"] = bool(values["counts_required"])
    values["tags"] = tuple(sorted(map(str, parsed(values.get("tags") or "[]", list))))
    return JobRecord(**values)


def find(tx: Connection, job_id: str) -> JobRecord:
    """Give the job with exactly that id; raises ``JobNotFound``."""
    row = tx.execute(_BY_ID, {"job_id": job_id}).one_or_none()
    if row is None:
        raise _not_found(tx, job_id)
    return _found(tx, row)


def find_many(tx: Connection, seqs: Sequence[int]) -> dict[int, JobRecord]:
    """Give those of the jobs that exist, by sequence number."""
    found: dict[int, JobRecord] = {}
    for start in range(0, len(seqs), _SEQS_AT_ONCE):
        for row in tx.execute(_BY_SEQS, {"seqs": seqs[start : start + _SEQS_AT_ONCE]}):
            found[row.seq] = record_of(row)
    return found


def ends_of(tx: Connection, seqs: Sequence[int]) -> dict[int, bool]:
    """Tell of those of the jobs that exist, by sequence number, whether they have ended: a cheaper look at many."""
    found: dict[int, bool] = {}
    for start in range(0, len(seqs), _SEQS_AT_ONCE):
        for seq, finished_us in tx.execute(_ENDS, {"seqs": seqs[start : start + _SEQS_AT_ONCE]}):
            found[seq] = finished_us is not None
    return found


def resolve(tx: Connection, reference: str) -> JobRecord:
    """Give the job that a person means by a full id, a unique prefix of 4 or more characters, or ``last``.

    Raises ``JobNotFound`` or ``AmbiguousJobId``.
    """
    if reference == "last":
        row = tx.execute(all_jobs().order_by(jobs.c.seq.desc()).limit(1)).one_or_none()
        if row is None:
            raise JobNotFound(reference, "it is empty; `aerjob submit FILE` makes a job")
        return record_of(row)
    wanted = reference.lower()
    if len(wanted) < SHORTEST_PREFIX:
        raise JobNotFound(reference, f"an id is shortened to no less than {SHORTEST_PREFIX} characters")
    # A range, not LIKE, so that the unique index answers.
    rows = tx.execute(
        all_jobs()
        .where(jobs.c.job_id >= wanted, jobs.c.job_id < wanted + "\U0010ffff")
        .order_by(jobs.c.job_id)
        .limit(_CANDIDATES_SHOWN)
    ).all()
    if not rows:
        raise _not_found(tx, wanted, reference)
    if len(rows) > 1 and rows[0].job_id != wanted:
        raise AmbiguousJobId(reference, [row.job_id for row in rows])
    return _found(tx, rows[0])


def has_pending(tx: Connection) -> bool:
    """Tell whether any job is not final yet."""
    return _is_any(tx, tuple(PENDING))


def has_waiting(tx: Connection) -> bool:
    """Tell whether any job waits for a worker to take it."""
    return _is_any(tx, (Status.INITIALIZING, Status.QUEUED))


def queue_position(tx: Connection, job: JobRecord) -> int | None:
    """Count from 1 the jobs up to this one in the order in which they will start; None when it does not queue."""
    if job.status is not Status.QUEUED:
        return None
    before = select(func.count()).where(
        IS_QUEUED,
        (jobs.c.priority > job.priority) | ((jobs.c.priority == job.priority) & (jobs.c.seq <= job.seq)),
    )
    return int(tx.execute(before).scalar_one())


def count_pending(tx: Connection) -> dict[Status, int]:
    """Count the jobs that are not final, by their state; states that no job is in are left out."""
    query = (
        select(jobs.c.status, func.count())
        .where(jobs.c.finished_us.is_(None), jobs.c.status.in_(tuple(PENDING)))
        .group_by(jobs.c.status)
    )
    return {Status(status): int(count) for status, count in tx.execute(query)}


def retries_of(tx: Connection, job_id: str) -> list[str]:
    """Give the ids of the jobs that were made of this one, the first submitted first."""
    return list(tx.execute(select(jobs.c.job_id).where(jobs.c.retry_of == job_id).order_by(jobs.c.seq)).scalars())


def running_of(tx: Connection, worker_id: str) -> list[str]:
    """Give the ids of the jobs that a worker runs, the first submitted first."""
    query = (
        select(jobs.c.job_id)
        .where(jobs.c.finished_us.is_(None), jobs.c.status == Status.RUNNING, jobs.c.worker_id == worker_id)
        .order_by(jobs.c.seq)
    )
    return list(tx.execute(query).scalars())


def all_jobs() -> Select[tuple[object, ...]]:
    """Select all jobs, in the form that ``record_of`` takes."""
    return _ALL


def _found(tx: Connection, row: Row[tuple[object, ...]]) -> JobRecord:
    """Make the record of a row that the index of ids led to, if the row itself has that id as well."""
    record = record_of(row)
    if tx.execute(_ID_OF, {"seq": record.seq}).scalar() != record.job_id:
        raise RowDamaged(f"the index leads from the id {record.job_id} to another job")
    return record


def _not_found(tx: Connection, job_id: str, reference: str | None = None) -> JobNotFound:
    """Give the error of an id that the index does not know, and the table does not either."""
    if len(job_id) == _ID_CHARACTERS and tx.execute(_IN_THE_TABLE_ITSELF, {"job_id": job_id}).first() is not None:
        raise RowDamaged(f"the index of ids lacks job {job_id}, which is there")
    return JobNotFound(reference or job_id)


def _is_any(tx: Connection, statuses: tuple[Status, ...]) -> bool:
    # "finished_us IS NULL" is what lets the small index of pending jobs answer.
    query = select(jobs.c.seq).where(jobs.c.finished_us.is_(None), jobs.c.status.in_(statuses)).limit(1)
    return tx.execute(query).first() is not None
