"""Taking jobs in, for the first time and again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from aerjob_cli.errors import IdempotencyConflict
from aerjob_cli.states import Status
from aerjob_cli.store.columns import complete
from aerjob_cli.store.events import note
from aerjob_cli.store.jobs import find
from aerjob_cli.store.records import JobRecord, Payload, PayloadRecord, Submission
from aerjob_cli.store.tables import job_tags, jobs, payloads

_NEEDED = ("name", "format", "sha256", "size_bytes")
_OF_MANY = (
    select(payloads)
    .where(payloads.c.job_seq.in_(bindparam("seqs", expanding=True)))
    .order_by(payloads.c.job_seq, payloads.c.position)
)


def submit(tx: Connection, submission: Submission, *, now_us: int) -> JobRecord:
    """Take a job in; a repeated idempotency key gives the job that was taken in first.

    A submission that brings its plan (``experiments_total``) is QUEUED, any other INITIALIZING. Payloads without
    ``data`` must be in the object folder already. Raises ``IdempotencyConflict``.
    """
    request = _request_sha256(submission)
    if submission.idempotency_key is not None:
        earlier = tx.execute(
            select(jobs.c.job_id, jobs.c.request_sha256).where(jobs.c.idempotency_key == submission.idempotency_key)
        ).one_or_none()
        if earlier is not None:
            if earlier.request_sha256 != request:
                raise IdempotencyConflict(submission.idempotency_key, earlier.job_id)
            return find(tx, earlier.job_id)
    status = Status.INITIALIZING if submission.experiments_total is None else Status.QUEUED
    (seq,) = tx.execute(
        insert(jobs)
        .values(
            job_id=submission.job_id,
            status=status,
            name=submission.name,
            backend=submission.backend,
            method=submission.method,
            shots=submission.shots,
            seed=submission.seed,
            memory=int(submission.memory),
            options=_json(submission.options),
            metadata=_json(submission.metadata),
            counts_required=int(submission.counts_required),
            priority=submission.priority,
            time_limit_s=submission.time_limit_s,
            max_memory_mb=submission.max_memory_mb,
            max_attempts=submission.max_attempts,
            idempotency_key=submission.idempotency_key,
            request_sha256=request,
            retry_of=submission.retry_of,
            submitted_by=_json(submission.submitted_by),
            experiments_total=submission.experiments_total,
            threads=submission.threads,
            experiments_done=0,
            validations=0,
            attempt=0,
            attempts_charged=0,
            submitted_us=now_us,
        )
        .returning(jobs.c.seq)
    ).one()
    tx.execute(
        insert(payloads),
        [
            {
                "job_seq": seq,
                "position": position,
                "name": payload.name,
                "format": payload.format,
                "sha256": payload.sha256,
                "size_bytes": payload.size_bytes,
                "data": payload.data,
            }
            for position, payload in enumerate(submission.payloads)
        ],
    )
    if submission.tags:
        tx.execute(insert(job_tags), [{"job_seq": seq, "tag": tag} for tag in sorted(set(submission.tags))])
    note(tx, [seq], at_us=now_us, source=None, target=status, why="submitted")
    return find(tx, submission.job_id)


def resubmit(tx: Connection, job: JobRecord, *, job_id: str, submitted_by: Mapping[str, str], now_us: int) -> JobRecord:
    """Take in the job once more, as a new one: all that it was asked for, and the plan if validation had made one.

    Its idempotency key stays with the first one.
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
        priority=job.priority,
        time_limit_s=job.time_limit_s,
        max_memory_mb=job.max_memory_mb,
        max_attempts=job.max_attempts,
        retry_of=job.job_id,
        submitted_by=submitted_by,
        counts_required=job.counts_required,
        experiments_total=job.experiments_total,
        threads=job.threads,
    )
    return submit(tx, again, now_us=now_us)


def payloads_of(tx: Connection, job_seq: int, *, formats: Collection[str] | None = None) -> list[Payload]:
    """Give the payloads that a job was submitted with, in their order; all, or those of some formats."""
    query = select(payloads).where(payloads.c.job_seq == job_seq).order_by(payloads.c.position)
    if formats is not None:
        query = query.where(payloads.c.format.in_(sorted(formats)))
    return [_payload(row) for row in tx.execute(query)]


def payloads_of_many(tx: Connection, job_seqs: Sequence[int]) -> dict[int, list[Payload]]:
    """Give the payloads of several jobs by their sequence numbers, those of each in their order."""
    found: dict[int, list[Payload]] = {}
    for row in tx.execute(_OF_MANY, {"seqs": list(job_seqs)}):
        found.setdefault(row.job_seq, []).append(_payload(row))
    return found


def files_of(tx: Connection, job_seq: int) -> list[PayloadRecord]:
    """Say what a job was submitted with, in its order, without reading the bytes."""
    columns = payloads.c
    query = select(columns.name, columns.format, columns.sha256, columns.size_bytes).where(columns.job_seq == job_seq)
    found = tx.execute(query.order_by(columns.position)).all()
    for row in found:
        complete(row, _NEEDED)
    return [PayloadRecord(*row) for row in found]


def file_of(tx: Connection, job_seq: int, position: int) -> Payload | None:
    """Give one of the payloads that a job was submitted with, counted from 0; None where there is none."""
    query = select(payloads).where(payloads.c.job_seq == job_seq, payloads.c.position == position)
    row = tx.execute(query).one_or_none()
    return None if row is None else _payload(row)


def _payload(row: Row[Any]) -> Payload:
    complete(row, _NEEDED)
    return Payload(name=row.name, format=row.format, sha256=row.sha256, size_bytes=row.size_bytes, data=row.data)


def _request_sha256(submission: Submission) -> str:
    asked = {
        "payloads": [_meaning(payload) for payload in submission.payloads],
        "backend": submission.backend,
        "method": submission.method,
        "shots": submission.shots,
        "seed": submission.requested_seed,
        "memory": submission.memory,
        "options": dict(submission.options),
    }
    return hashlib.sha256(_json(asked).encode()).hexdigest()


def _meaning(payload: Payload) -> list[str]:
    if payload.identity is not None:
        return [payload.format, payload.identity]
    # A file is the same wherever its folder is; its own name is in the result.
    return [PurePath(payload.name).name, payload.format, payload.sha256]


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), sort_keys=True, separators=(",", ":"))
