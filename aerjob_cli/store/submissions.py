"""Taking jobs in, and letting finished ones go."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from aerjob_cli.errors import IdempotencyConflict
from aerjob_cli.states import Status
from aerjob_cli.store.events import note
from aerjob_cli.store.jobs import find
from aerjob_cli.store.records import JobRecord, Payload, Submission
from aerjob_cli.store.tables import job_tags, jobs, payloads


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


def circuits_of(tx: Connection, job_seq: int) -> list[Payload]:
    """Give the payloads that a job was submitted with, in their order."""
    query = select(payloads).where(payloads.c.job_seq == job_seq).order_by(payloads.c.position)
    return [
        Payload(name=row.name, format=row.format, sha256=row.sha256, size_bytes=row.size_bytes, data=row.data)
        for row in tx.execute(query)
    ]


def delete_final(tx: Connection, job_seq: int) -> bool:
    """Remove a final job with all that belongs to it; return False when it is not final, or not there."""
    return tx.execute(delete(jobs).where(jobs.c.seq == job_seq, jobs.c.finished_us.is_not(None))).rowcount == 1


def _request_sha256(submission: Submission) -> str:
    asked = {
        "payloads": [[payload.name, payload.format, payload.sha256] for payload in submission.payloads],
        "backend": submission.backend,
        "method": submission.method,
        "shots": submission.shots,
        "seed": submission.requested_seed,
        "memory": submission.memory,
        "options": dict(submission.options),
    }
    return hashlib.sha256(_json(asked).encode()).hexdigest()


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), sort_keys=True, separators=(",", ":"))
