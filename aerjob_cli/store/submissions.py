"""Taking jobs in, for the first time and again."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aerjob_cli.errors import IdempotencyConflict, JobNotFound
from aerjob_cli.states import Status
from aerjob_cli.store import dependencies
from aerjob_cli.store.dependencies import Prospect
from aerjob_cli.store.events import note
from aerjob_cli.store.jobs import READ, find, find_many, record_from, retries_of
from aerjob_cli.store.parts import in_parts
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import Dependency, JobRecord, Payload, PayloadRecord, Submission
from aerjob_cli.store.request_digest import as_json, digest_of, result_key_of
from aerjob_cli.store.values import complete

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from aerjob_cli.store.statements import submissions as statements
else:
    statements = prepared("submissions")

_NEEDED = ("name", "format", "sha256", "size_bytes")


def submit(tx: Connection, submission: Submission, *, now_us: int) -> JobRecord:
    """Take a job in; a repeated idempotency key gives the job that was taken in first.

    A submission that brings its plan (``experiments_total``) is QUEUED, any other INITIALIZING. Payloads without
    ``data`` must be in the object folder already. One that reuses a result, which ``reuse.is_there``, is DONE. Raises
    ``IdempotencyConflict``.
    """
    return submit_all(tx, [submission], now_us=now_us)[0]


def submit_all(tx: Connection, submissions: Sequence[Submission], *, now_us: int) -> list[JobRecord]:
    """Take jobs in, in their order, each as ``submit`` does: one statement for all rows of a table."""
    digests = {submission.job_id: digest_of(submission) for submission in submissions}
    keyed = _by_key(tx, [key for submission in submissions if (key := submission.idempotency_key) is not None])
    fresh = []
    job_ids = []
    for submission in submissions:
        own = submission.job_id, digests[submission.job_id]
        key = submission.idempotency_key
        # Of two that share a key, the first is also the first of this call.
        job_id, digest = own if key is None else keyed.setdefault(key, own)
        if key is not None and digest != own[1]:
            raise IdempotencyConflict(key, None if job_id in digests else job_id)
        if job_id == submission.job_id:
            fresh.append(submission)
        job_ids.append(job_id)
    made = {record.job_id: record for record in _inserted(tx, fresh, digests, now_us=now_us)}
    return [made.get(job_id) or find(tx, job_id) for job_id in job_ids]


def known_keys(tx: Connection, submissions: Sequence[Submission]) -> frozenset[str]:
    """Give those of the idempotency keys that jobs have already."""
    keys = [key for submission in submissions if (key := submission.idempotency_key) is not None]
    return frozenset(_by_key(tx, keys))


def taken_in(tx: Connection, submissions: Sequence[Submission]) -> list[JobRecord]:
    """Give the jobs of submissions that were taken in together, in their order; none where they were not.

    None either where all of them were there before, by their keys.
    """
    made = {submission.job_id for submission in submissions}
    keyed = _by_key(tx, [key for submission in submissions if (key := submission.idempotency_key) is not None])
    ids = [_id_of(submission, keyed) for submission in submissions]
    try:
        return [] if made.isdisjoint(ids) else [find(tx, job_id) for job_id in ids]
    except JobNotFound:
        return []


def _id_of(submission: Submission, keyed: Mapping[str, tuple[str, str]]) -> str:
    key = submission.idempotency_key
    return submission.job_id if key is None or key not in keyed else keyed[key][0]


def _by_key(tx: Connection, keys: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Give the id and the digest of the jobs that have one of the idempotency keys."""
    found: dict[str, tuple[str, str]] = {}
    for part in in_parts(keys):
        for key, job_id, digest in tx.execute(statements.KEYED, {"keys": part}):
            found[key] = job_id, digest
    return found


def _inserted(
    tx: Connection, submissions: Sequence[Submission], digests: Mapping[str, str], *, now_us: int
) -> list[JobRecord]:
    if not submissions:
        return []
    before = dependencies.prospects(tx, submissions)
    rows = [
        _row(submission, before.get(submission.job_id), digests[submission.job_id], now_us)
        for submission in submissions
    ]
    seqs = tx.execute(statements.INSERT_JOBS, rows).scalars().all()
    numbered = list(zip(seqs, submissions, strict=True))
    rows_of_payloads = [row for seq, submission in numbered for row in payload_rows(seq, submission.payloads)]
    tx.execute(statements.INSERT_PAYLOADS, rows_of_payloads)
    tags = {seq: sorted(set(submission.tags)) for seq, submission in numbered}
    tagged = [{"job_seq": seq, "tag": tag} for seq in seqs for tag in tags[seq]]
    if tagged:
        tx.execute(statements.INSERT_TAGS, tagged)
    reusing = {seq: item.reuse for seq, item in numbered if item.reuse is not None}
    if reusing:
        # Only who asks for it pays for it.
        from aerjob_cli.store.reuse import give_result

        for seq, wanted in reusing.items():
            give_result(tx, seq, wanted, now_us=now_us)
    for status in (Status.INITIALIZING, Status.QUEUED):
        begun = [seq for seq, row in zip(seqs, rows, strict=True) if row["status"] is status and seq not in reusing]
        note(tx, begun, at_us=now_us, source=None, target=status, why="submitted")
    waiting = {seq: before[item.job_id] for seq, item in numbered if item.job_id in before}
    dependencies.add(tx, waiting, {seq: row["status"] for seq, row in zip(seqs, rows, strict=True)}, now_us=now_us)
    looked_at = find_many(tx, [*waiting, *reusing])
    return [
        # What a look at the job would find, without the look where that is known.
        looked_at.get(seq)
        or record_from({**{name: row.get(name) for name in READ}, "seq": seq, "tags": json.dumps(tags[seq])})
        for seq, row in zip(seqs, rows, strict=True)
    ]


def payload_rows(job_seq: int, payloads: Iterable[Payload]) -> Iterator[dict[str, Any]]:
    """Give what is inserted of a job's payloads, in their order."""
    for position, payload in enumerate(payloads):
        yield {
            "job_seq": job_seq,
            "position": position,
            "name": payload.name,
            "format": payload.format,
            "sha256": payload.sha256,
            "size_bytes": payload.size_bytes,
            "data": payload.data,
        }


def _row(submission: Submission, before: Prospect | None, digest: str, now_us: int) -> dict[str, Any]:
    return {
        "job_id": submission.job_id,
        "status": Status.INITIALIZING if submission.experiments_total is None else Status.QUEUED,
        "name": submission.name,
        "backend": submission.backend,
        "method": submission.method,
        "shots": submission.shots,
        "seed": submission.seed,
        "memory": int(submission.memory),
        "options": as_json(submission.options),
        "metadata": as_json(submission.metadata),
        "counts_required": int(submission.counts_required),
        "priority": submission.priority,
        "time_limit_s": submission.time_limit_s,
        "max_memory_mb": submission.max_memory_mb,
        "max_attempts": submission.max_attempts,
        "idempotency_key": submission.idempotency_key,
        "request_sha256": digest,
        "result_key": submission.result_key or result_key_of(submission),
        "on_end": submission.on_end,
        "retry_of": submission.retry_of,
        "submitted_by": as_json(submission.submitted_by),
        "group_name": submission.group_name,
        "experiments_total": submission.experiments_total,
        "threads": submission.threads,
        "estimated_bytes": submission.estimated_bytes,
        "experiments_done": 0,
        "validations": 0,
        "attempt": 0,
        "attempts_charged": 0,
        "submitted_us": now_us,
        **_waits(submission, before, now_us),
    }


def _waits(submission: Submission, before: Prospect | None, now_us: int) -> dict[str, int | None]:
    # Nobody has to be told of a time that is over.
    begin_us = None if submission.begin_us is None or submission.begin_us <= now_us else submission.begin_us
    unmet, unmet_any = (0, False) if before is None else (before.unmet, before.unmet_any)
    return {
        "waits": unmet + unmet_any + submission.held + (begin_us is not None),
        "held": int(submission.held),
        "unmet_any": int(unmet_any),
        "begin_us": begin_us,
    }


def resubmit(tx: Connection, job: JobRecord, *, job_id: str, submitted_by: Mapping[str, str], now_us: int) -> JobRecord:
    """Take in the job once more, as a new one: all that it was asked for, and the plan if validation had made one.

    Its idempotency key stays with the first one. What it depends on is what that has become since: the last retry of
    each job in its place, and none that has failed for good.
    """
    again = Submission(
        job_id=job_id,
        payloads=tuple(payloads_of(tx, job.seq)),
        backend=job.backend,
        method=job.method,
        shots=job.shots,
        seed=job.seed,
        requested_seed=job.seed,
        memory=job.memory,
        options=job.options,
        metadata=job.metadata,
        name=job.name,
        tags=job.tags,
        group_name=job.group_name,
        priority=job.priority,
        time_limit_s=job.time_limit_s,
        max_memory_mb=job.max_memory_mb,
        max_attempts=job.max_attempts,
        retry_of=job.job_id,
        submitted_by=submitted_by,
        counts_required=job.counts_required,
        experiments_total=job.experiments_total,
        threads=job.threads,
        estimated_bytes=job.estimated_bytes,
        dependencies=tuple(_still_hopeful(tx, job)),
        # What circuits from Python mean is not in their bytes.
        result_key=tx.execute(statements.RESULT_KEY, {"seq": job.seq}).scalar(),
        on_end=job.on_end,
    )
    return submit(tx, again, now_us=now_us)


def _still_hopeful(tx: Connection, job: JobRecord) -> Iterator[Dependency]:
    """Give what a job depends on as far as that has not ended otherwise than it should, retries included."""
    for known in dependencies.of_job(tx, job.seq):
        job_id, status = known.job_id, known.status
        while status.is_final and status is not Status.DONE and (retries := retries_of(tx, job_id)):
            job_id = retries[-1]
            status = find(tx, job_id).status
        if status is Status.DONE or not status.is_final:
            yield Dependency(known.kind, job_id)


def payloads_of(tx: Connection, job_seq: int, *, formats: Collection[str] | None = None) -> list[Payload]:
    """Give the payloads that a job was submitted with, in their order; all, or those of some formats."""
    if formats is None:
        rows = tx.execute(statements.PAYLOADS_OF_JOB, {"seq": job_seq})
    else:
        rows = tx.execute(statements.PAYLOADS_OF_FORMATS, {"seq": job_seq, "formats": sorted(formats)})
    return [_payload(row) for row in rows]


def payloads_of_many(tx: Connection, job_seqs: Sequence[int]) -> dict[int, list[Payload]]:
    """Give the payloads of several jobs by their sequence numbers, those of each in their order."""
    found: dict[int, list[Payload]] = {}
    for part in in_parts(job_seqs):
        for row in tx.execute(statements.OF_MANY, {"seqs": part}):
            found.setdefault(row.job_seq, []).append(_payload(row))
    return found


def files_of(tx: Connection, job_seq: int) -> list[PayloadRecord]:
    """Say what a job was submitted with, in its order, without reading the bytes."""
    found = tx.execute(statements.FILES_OF_JOB, {"seq": job_seq}).all()
    for row in found:
        complete(row, _NEEDED)
    return [PayloadRecord(*row) for row in found]


def file_of(tx: Connection, job_seq: int, position: int) -> Payload | None:
    """Give one of the payloads that a job was submitted with, counted from 0; None where there is none."""
    row = tx.execute(statements.PAYLOAD, {"seq": job_seq, "at": position}).one_or_none()
    return None if row is None else _payload(row)


def _payload(row: Row[Any]) -> Payload:
    complete(row, _NEEDED)
    return Payload(name=row.name, format=row.format, sha256=row.sha256, size_bytes=row.size_bytes, data=row.data)
