"""Looking jobs up: by id, by prefix, in the queue. Nothing here changes a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, Select, Text, bindparam, func, select, text, type_coerce

from aerjob_cli.errors import AmbiguousJobId, JobNotFound
from aerjob_cli.settings import QUEUE_COUNTED_TO
from aerjob_cli.states import PENDING, UNDECIDED, Reason, Status
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
_FIRST_IN = (
    select(jobs.c.seq)
    .where(
        jobs.c.finished_us.is_(None),
        jobs.c.status == bindparam("status"),
        jobs.c.seq.between(bindparam("low"), bindparam("high")),
    )
    .order_by(jobs.c.seq)
    .limit(1)
)
_UNDECIDED_OF = (
    select(jobs.c.seq).where(jobs.c.seq.in_(bindparam("seqs", expanding=True)), jobs.c.status.in_(UNDECIDED)).limit(1)
)
_SEQS_AT_ONCE = 500  # below SQLite's limit of parameters in any build

# Without the index of ids, which may be damaged. The latest jobs are those that are asked for, and cost little.
_LATEST_LOOKED_AT = 1000
_AMONG_THE_LATEST = text(
    "SELECT 1 FROM (SELECT job_id FROM jobs NOT INDEXED ORDER BY seq DESC LIMIT :latest) AS latest "
    "WHERE job_id = :job_id LIMIT 1"
)
# Where an entry of that index has been altered, or leads a search astray, it is next to where the search has ended.
_NEIGHBOURS_LOOKED_AT = 100
_BEFORE = select(jobs.c.job_id, jobs.c.seq).where(jobs.c.job_id < bindparam("job_id")).order_by(jobs.c.job_id.desc())
_AFTER = select(jobs.c.job_id, jobs.c.seq).where(jobs.c.job_id > bindparam("job_id")).order_by(jobs.c.job_id)
_IDS_OF = select(jobs.c.seq, jobs.c.job_id).where(jobs.c.seq.in_(bindparam("seqs", expanding=True)))
_BY_IDS = _ALL.where(jobs.c.job_id.in_(bindparam("job_ids", expanding=True)))
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


def resolve_all(tx: Connection, references: Sequence[str]) -> list[JobRecord]:
    """Give the jobs that a person means, as ``resolve`` does with each; full ids are looked up together."""
    full = sorted({wanted for reference in references if len(wanted := reference.lower()) == _ID_CHARACTERS})
    known: dict[str, JobRecord] = {}
    for start in range(0, len(full), _SEQS_AT_ONCE):
        for row in tx.execute(_BY_IDS, {"job_ids": full[start : start + _SEQS_AT_ONCE]}):
            record = record_of(row)
            known[record.job_id] = record
    _require_indexed_rightly(tx, {record.seq: record.job_id for record in known.values()})
    return [known.get(reference.lower()) or resolve(tx, reference) for reference in references]


def has_pending(tx: Connection) -> bool:
    """Tell whether any job is not final yet."""
    return _is_any(tx, tuple(PENDING))


def has_waiting(tx: Connection) -> bool:
    """Tell whether any job waits for a worker to take it."""
    return _is_any(tx, (Status.INITIALIZING, Status.QUEUED))


def is_any_undecided(tx: Connection, seqs: Sequence[int]) -> bool:
    """Tell whether validation has yet to decide on one of the jobs; of many it looks at the first that is open."""
    ours = set(seqs)
    between = {"low": min(ours), "high": max(ours)}
    firsts = [tx.execute(_FIRST_IN, between | {"status": status}).scalar() for status in UNDECIDED]
    found = [seq for seq in firsts if seq is not None]
    if not found or not ours.isdisjoint(found):
        return bool(found)
    # Others have submitted in between.
    for start in range(0, len(seqs), _SEQS_AT_ONCE):
        if tx.execute(_UNDECIDED_OF, {"seqs": seqs[start : start + _SEQS_AT_ONCE]}).first() is not None:
            return True
    return False


def queue_position(tx: Connection, job: JobRecord) -> int | None:
    """Count from 1 the jobs up to this one in the order in which they will start; None when it does not queue.

    Behind ``QUEUE_COUNTED_TO`` others it is one more than that, however many there are.
    """
    if job.status is not Status.QUEUED:
        return None
    at_most = QUEUE_COUNTED_TO + 1
    # Apart, each is a stretch of the queue's index.
    urgent = select(jobs.c.seq).where(IS_QUEUED, jobs.c.priority > job.priority).limit(at_most).subquery()
    earlier = (
        select(jobs.c.seq)
        .where(IS_QUEUED, jobs.c.priority == job.priority, jobs.c.seq <= job.seq)
        .limit(at_most)
        .subquery()
    )
    counts = [select(func.count()).select_from(some).scalar_subquery() for some in (urgent, earlier)]
    return min(at_most, sum(tx.execute(select(*counts)).one()))


def queue_positions(tx: Connection, records: Sequence[JobRecord]) -> dict[int, int]:
    """Give the ``queue_position`` of each job that queues, by sequence number; of many the queue is read once."""
    queued = [record for record in records if record.status is Status.QUEUED]
    if len(queued) <= 1:
        return {record.seq: place for record in queued if (place := queue_position(tx, record)) is not None}
    first = select(jobs.c.seq).where(IS_QUEUED).order_by(jobs.c.priority.desc(), jobs.c.seq).limit(QUEUE_COUNTED_TO)
    places = {seq: place for place, seq in enumerate(tx.execute(first).scalars(), start=1)}
    return {record.seq: places.get(record.seq, QUEUE_COUNTED_TO + 1) for record in queued}


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
        raise _wrongly_indexed(record.job_id)
    return record


def _wrongly_indexed(job_id: str) -> RowDamaged:
    return RowDamaged(f"the index leads from the id {job_id} to another job")


def _require_indexed_rightly(tx: Connection, ids: Mapping[int, str]) -> None:
    """Raise ``RowDamaged`` where a row does not have the id under which the index has it."""
    seqs = list(ids)
    for start in range(0, len(seqs), _SEQS_AT_ONCE):
        part = seqs[start : start + _SEQS_AT_ONCE]
        stored = {row.seq: row.job_id for row in tx.execute(_IDS_OF, {"seqs": part})}
        for seq in part:
            if stored.get(seq) != ids[seq]:
                raise _wrongly_indexed(ids[seq])


def _not_found(tx: Connection, job_id: str, reference: str | None = None) -> JobNotFound:
    """Give the error of an id that the index does not know, if nothing tells that it should."""
    if len(job_id) == _ID_CHARACTERS:
        among = {"latest": _LATEST_LOOKED_AT, "job_id": job_id}
        if tx.execute(_AMONG_THE_LATEST, among).first() is not None:
            raise RowDamaged(f"the index of ids lacks job {job_id}, which is there")
        for query in (_BEFORE, _AFTER):
            found = tx.execute(query.limit(_NEIGHBOURS_LOOKED_AT), {"job_id": job_id})
            _require_indexed_rightly(tx, {row.seq: row.job_id for row in found})
    return JobNotFound(reference or job_id)


def _is_any(tx: Connection, statuses: tuple[Status, ...]) -> bool:
    # "finished_us IS NULL" is what lets the small index of pending jobs answer.
    query = select(jobs.c.seq).where(jobs.c.finished_us.is_(None), jobs.c.status.in_(statuses)).limit(1)
    return tx.execute(query).first() is not None
