"""Taking jobs in, and what they were submitted with."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select

from aerjob_cli.store.tables import job_tags, jobs, payloads

INSERT_JOBS = insert(jobs).returning(jobs.c.seq, sort_by_parameter_order=True)
INSERT_PAYLOADS = insert(payloads)
INSERT_TAGS = insert(job_tags)
KEYED = select(jobs.c.idempotency_key, jobs.c.job_id, jobs.c.request_sha256).where(
    jobs.c.idempotency_key.in_(bindparam("keys", expanding=True))
)

RESULT_KEY = select(jobs.c.result_key).where(jobs.c.seq == bindparam("seq"))

_OF_JOB = payloads.c.job_seq == bindparam("seq")
PAYLOADS_OF_JOB = select(payloads).where(_OF_JOB).order_by(payloads.c.position)
PAYLOADS_OF_FORMATS = PAYLOADS_OF_JOB.where(payloads.c.format.in_(bindparam("formats", expanding=True)))
OF_MANY = (
    select(payloads)
    .where(payloads.c.job_seq.in_(bindparam("seqs", expanding=True)))
    .order_by(payloads.c.job_seq, payloads.c.position)
)
PAYLOAD = select(payloads).where(_OF_JOB, payloads.c.position == bindparam("at"))
FILES_OF_JOB = (
    select(payloads.c.name, payloads.c.format, payloads.c.sha256, payloads.c.size_bytes)
    .where(_OF_JOB)
    .order_by(payloads.c.position)
)
