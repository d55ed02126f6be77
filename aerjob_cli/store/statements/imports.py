"""Taking jobs in that come from another store, and what tells of them there."""

from __future__ import annotations

from sqlalchemy import bindparam, func, insert, null, select, update

from aerjob_cli.states import Status
from aerjob_cli.store.tables import events, jobs, prunings

# With their numbers, which come before all others (`imports`).
INSERT_JOBS = insert(jobs).values({column.name: bindparam(column.name, type_=column.type) for column in jobs.c})
INSERT_EVENTS = insert(events).values({column.name: bindparam(column.name, type_=column.type) for column in events.c})
FIRST_JOB = select(func.min(jobs.c.seq))
FIRST_EVENT = select(func.min(events.c.seq))

END = (
    update(jobs)
    .where(
        jobs.c.seq == bindparam("held_seq"),
        jobs.c.status == Status.RUNNING,
        jobs.c.claim_token == bindparam("held_token"),
    )
    .values(
        status=bindparam("new_status"),
        reason=bindparam("new_reason"),
        finished_us=bindparam("new_finished_us"),
        claim_token=null(),
    )
)

INSERT_PRUNINGS = insert(prunings).values(
    {column.name: bindparam(column.name, type_=column.type) for column in prunings.c}
)
PRUNED = select(prunings).where(prunings.c.job_seq.in_(bindparam("seqs", expanding=True)))
