"""The history of jobs."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select

from aerjob_cli.store.tables import events

INSERT_EVENTS = insert(events)
OF_JOB = (
    select(
        events.c.seq,
        events.c.at_us,
        events.c.from_status,
        events.c.to_status,
        events.c.attempt,
        events.c.worker_id,
        events.c.why,
        events.c.runtime_id,
    )
    .where(events.c.job_seq == bindparam("of_job"))
    .order_by(events.c.seq)
)
