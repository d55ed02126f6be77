"""Looking jobs up: by id, by prefix, in the queue. Nothing here changes a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from aerjob_cli.errors import AmbiguousJobId, JobNotFound
from aerjob_cli.settings import QUEUE_COUNTED_TO
from aerjob_cli.states import UNDECIDED, Reason, Status
from aerjob_cli.store.parts import in_parts
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import FROM_OTHER_TABLES, JobRecord
from aerjob_cli.store.values import RowDamaged, complete, parsed

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from aerjob_cli.store.statements import end_commands as end_statements
    from aerjob_cli.store.statements import jobs as statements
else:
    end_statements = prepared("end_commands")
    statements = prepared("jobs")

SHORTEST_PREFIX = 4
_CANDIDATES_SHOWN = 6
_AFTER_ALL = "\U0010ffff"

# The columns of a record, and those of them that are never NULL.
READ = tuple(field.name for field in fields(JobRecord) if field.name not in FROM_OTHER_TABLES)
_NEEDED = tuple(
    field.name
    for field in fields(JobRecord)
    if field.name not in (*FROM_OTHER_TABLES, "submitted_by") and "None" not in str(field.type)
)

# The latest jobs are those that are asked for, and cost little.
_LATEST_LOOKED_AT = 1000
# Where an entry of the index of ids has been altered, or leads a search astray, it is next to where that has ended.
_NEIGHBOURS_LOOKED_AT = 100
_ID_CHARACTERS = 36


def record_of(row: Row[*tuple[Any, ...]]) -> JobRecord:
    """Make the record of a row that has at least ``JOB_COLUMNS``; raises ``RowDamaged``."""
    complete(row, _NEEDED)
    return record_from(dict(row._mapping))


def record_from(columns: Mapping[str, Any]) -> JobRecord:
    """Make a record of the values of ``JOB_COLUMNS``, by their names, and of its tags and what it waits for as JSON."""
    values: dict[str, Any] = dict(columns)
    values["status"] = Status(values["status"])
    values["reason"] = None if values["reason"] is None else Reason(values["reason"])
    values["options"] = parsed(values["options"], dict)
    values["metadata"] = parsed(values["metadata"], dict)
    values["submitted_by"] = parsed(values["submitted_by"] or "{}", dict)
    values["memory"] = bool(values["memory"])
    values["counts_required"] = bool(values["counts_required"])
    values["held"] = bool(values["held"])
    values["unmet_any"] = bool(values["unmet_any"])
    # One may be waited for in more than one way.
    values["waits_for"] = tuple(dict.fromkeys(map(str, parsed(values.get("waits_for") or "[]", list))))
    values["tags"] = tuple(sorted(map(str, parsed(values.get("tags") or "[]", list))))
    return JobRecord(**values)


def find(tx: Connection, job_id: str) -> JobRecord:
    """Give the job with exactly that id; raises ``JobNotFound``."""
    row = tx.execute(statements.BY_ID, {"job_id": job_id}).one_or_none()
    if row is None:
        raise _not_found(tx, job_id)
    return _found(tx, row)


def find_many(tx: Connection, seqs: Sequence[int]) -> dict[int, JobRecord]:
    """Give those of the jobs that exist, by sequence number."""
    found: dict[int, JobRecord] = {}
    for part in in_parts(seqs):
        for row in tx.execute(statements.BY_SEQS, {"seqs": part}):
            found[row.seq] = record_of(row)
    return found


def find_all(tx: Connection, seqs: Sequence[int]) -> list[JobRecord]:
    """Give the jobs of sequence numbers that were read in this transaction, in their order; raises ``RowDamaged``."""
    found = find_many(tx, seqs)
    for seq in seqs:
        if seq not in found:
            raise RowDamaged(f"an index leads to job number {seq}, which is not there")
    return [found[seq] for seq in seqs]


def ends_of(tx: Connection, seqs: Sequence[int]) -> dict[int, bool]:
    """Tell of those of the jobs that exist, by sequence number, whether they have ended: a cheaper look at many."""
    found: dict[int, bool] = {}
    for part in in_parts(seqs):
        for seq, finished_us in tx.execute(statements.ENDS, {"seqs": part}):
            found[seq] = finished_us is not None
    return found


def resolve(tx: Connection, reference: str) -> JobRecord:
    """Give the job that a person means by a full id, a unique prefix of 4 or more characters, or ``last``.

    Raises ``JobNotFound`` or ``AmbiguousJobId``.
    """
    if reference == "last":
        row = tx.execute(statements.LAST).one_or_none()
        if row is None:
            raise JobNotFound(reference, "none was submitted here; `aerjob submit FILE` makes one")
        return record_of(row)
    wanted = reference.lower()
    if len(wanted) < SHORTEST_PREFIX:
        raise JobNotFound(reference, f"an id is shortened to no less than {SHORTEST_PREFIX} characters")
    stretch = {"first": wanted, "after": wanted + _AFTER_ALL, "limit": _CANDIDATES_SHOWN}
    rows = tx.execute(statements.BY_BEGINNING, stretch).all()
    if not rows:
        raise _not_found(tx, wanted, reference)
    if len(rows) > 1 and rows[0].job_id != wanted:
        raise AmbiguousJobId(reference, [row.job_id for row in rows])
    return _found(tx, rows[0])


def resolve_all(tx: Connection, references: Sequence[str]) -> list[JobRecord]:
    """Give the jobs that a person means, as ``resolve`` does with each; full ids are looked up together."""
    full = sorted({wanted for reference in references if len(wanted := reference.lower()) == _ID_CHARACTERS})
    known: dict[str, JobRecord] = {}
    for part in in_parts(full):
        for row in tx.execute(statements.BY_IDS, {"job_ids": part}):
            record = record_of(row)
            known[record.job_id] = record
    _require_indexed_rightly(tx, {record.seq: record.job_id for record in known.values()})
    return [known.get(reference.lower()) or resolve(tx, reference) for reference in references]


def needs_worker(tx: Connection) -> bool:
    """Tell whether a worker has, or will have, anything to do unless somebody releases a job."""
    return _is_any(tx, (Status.VALIDATING, Status.RUNNING)) or has_waiting(tx)


def has_waiting(tx: Connection) -> bool:
    """Tell whether anything waits for a worker: a job, at once or when its time has come, or the command of one.

    Jobs that are held, and those that wait for others, need none: who releases them, or ends the others, calls it.
    """
    return (
        _is_any(tx, (Status.INITIALIZING,))
        or tx.execute(statements.QUEUE, {"limit": 1}).first() is not None
        or tx.execute(statements.ANY_WITH_TIME).first() is not None
        or is_any_command_due(tx)
    )


def is_any_command_due(tx: Connection) -> bool:
    """Tell whether the command of a job that has ended waits for a worker to run it."""
    return tx.execute(end_statements.ANY_DUE).first() is not None


def is_any_undecided(tx: Connection, seqs: Sequence[int]) -> bool:
    """Tell whether validation has yet to decide on one of the jobs; of many it looks at the first that is open."""
    ours = set(seqs)
    between = {"low": min(ours), "high": max(ours)}
    firsts = [tx.execute(statements.FIRST_IN, between | {"status": status}).scalar() for status in UNDECIDED]
    found = [seq for seq in firsts if seq is not None]
    if not found or not ours.isdisjoint(found):
        return bool(found)
    # Others have submitted in between.
    return any(tx.execute(statements.UNDECIDED_OF, {"seqs": part}).first() is not None for part in in_parts(seqs))


def queue_position(tx: Connection, job: JobRecord) -> int | None:
    """Count from 1 the jobs up to this one in the order in which they will start; None when it does not queue.

    One that waits for more than its turn has no place in that order yet.

    Behind ``QUEUE_COUNTED_TO`` others it is one more than that, however many there are.
    """
    if not _queues(job):
        return None
    at_most = QUEUE_COUNTED_TO + 1
    counts = tx.execute(statements.QUEUED_UP_TO, {"priority": job.priority, "seq": job.seq, "limit": at_most}).one()
    return min(at_most, sum(counts))


def queue_positions(tx: Connection, records: Sequence[JobRecord]) -> dict[int, int]:
    """Give the ``queue_position`` of each job that queues, by sequence number; of many the queue is read once."""
    queued = [record for record in records if _queues(record)]
    if len(queued) <= 1:
        return {record.seq: place for record in queued if (place := queue_position(tx, record)) is not None}
    first = tx.execute(statements.QUEUE, {"limit": QUEUE_COUNTED_TO}).scalars()
    places = {seq: place for place, seq in enumerate(first, start=1)}
    return {record.seq: places.get(record.seq, QUEUE_COUNTED_TO + 1) for record in queued}


def count_pending(tx: Connection) -> dict[Status, int]:
    """Count the jobs that are not final, by their state; states that no job is in are left out."""
    return {Status(status): int(count) for status, count in tx.execute(statements.PENDING_BY_STATUS)}


def retries_of(tx: Connection, job_id: str) -> list[str]:
    """Give the ids of the jobs that were made of this one, the first submitted first."""
    return list(tx.execute(statements.RETRIES_OF, {"job_id": job_id}).scalars())


def running_of(tx: Connection, worker_id: str) -> list[str]:
    """Give the ids of the jobs that a worker runs, the first submitted first."""
    return list(tx.execute(statements.RUNNING_OF, {"of_worker": worker_id}).scalars())


def _found(tx: Connection, row: Row[*tuple[Any, ...]]) -> JobRecord:
    """Make the record of a row that the index of ids led to, if the row itself has that id as well."""
    record = record_of(row)
    if tx.execute(statements.ID_OF, {"seq": record.seq}).scalar() != record.job_id:
        raise _wrongly_indexed(record.job_id)
    return record


def _wrongly_indexed(job_id: str) -> RowDamaged:
    return RowDamaged(f"the index leads from the id {job_id} to another job")


def _require_indexed_rightly(tx: Connection, ids: Mapping[int, str]) -> None:
    """Raise ``RowDamaged`` where a row does not have the id under which the index has it."""
    seqs = list(ids)
    for part in in_parts(seqs):
        stored = {row.seq: row.job_id for row in tx.execute(statements.IDS_OF, {"seqs": part})}
        for seq in part:
            if stored.get(seq) != ids[seq]:
                raise _wrongly_indexed(ids[seq])


def _not_found(tx: Connection, job_id: str, reference: str | None = None) -> JobNotFound:
    """Give the error of an id that the index does not know, if nothing tells that it should."""
    if len(job_id) == _ID_CHARACTERS:
        among = {"latest": _LATEST_LOOKED_AT, "job_id": job_id}
        if tx.execute(statements.AMONG_THE_LATEST, among).first() is not None:
            raise RowDamaged(f"the index of ids lacks job {job_id}, which is there")
        near = {"job_id": job_id, "limit": _NEIGHBOURS_LOOKED_AT}
        for query in (statements.BEFORE, statements.AFTER):
            found = tx.execute(query, near)
            _require_indexed_rightly(tx, {row.seq: row.job_id for row in found})
    return JobNotFound(reference or job_id)


def _queues(job: JobRecord) -> bool:
    return job.status is Status.QUEUED and not job.waits


def _is_any(tx: Connection, statuses: tuple[Status, ...]) -> bool:
    return tx.execute(statements.ANY_PENDING, {"statuses": statuses}).first() is not None
