"""The commands of jobs that have ended."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select, update

from aerjob_cli.store.tables import end_commands, jobs

_OF_JOB = end_commands.c.job_seq == bindparam("of_job")
_IS_DUE = end_commands.c.begun_us.is_(None)
_HAS_NOT_FINISHED = end_commands.c.finished_us.is_(None)

ANY_DUE = select(end_commands.c.job_seq).where(_IS_DUE).limit(1)
DUE = (
    select(
        end_commands.c.job_seq,
        jobs.c.job_id,
        jobs.c.on_end,
        jobs.c.status,
        jobs.c.reason,
        jobs.c.name,
        jobs.c.submitted_by,
    )
    .join(jobs, jobs.c.seq == end_commands.c.job_seq)
    .where(_IS_DUE)
    .order_by(end_commands.c.job_seq)
    .limit(bindparam("limit"))
)
BEGIN = (
    update(end_commands).where(_OF_JOB, _IS_DUE).values(begun_us=bindparam("now_us"), worker_id=bindparam("by_worker"))
)
FINISH = (
    update(end_commands)
    .where(_OF_JOB, end_commands.c.worker_id == bindparam("by_worker"), _HAS_NOT_FINISHED)
    .values(finished_us=bindparam("ended_us"), outcome=bindparam("what_came"))
)
UNFINISHED = (
    select(end_commands.c.job_seq, jobs.c.job_id)
    .join(jobs, jobs.c.seq == end_commands.c.job_seq)
    .where(end_commands.c.begun_us.is_not(None), _HAS_NOT_FINISHED)
)
_GIVEN_UP: dict[str, Any] = {"finished_us": bindparam("now_us"), "outcome": bindparam("what_came")}
GIVE_UP = update(end_commands).where(_OF_JOB, _HAS_NOT_FINISHED).values(_GIVEN_UP)
# In the copy of a store, where another one runs them. One that is begun and has a time of its end is due no more.
GIVE_UP_DUE = update(end_commands).where(_IS_DUE).values({**_GIVEN_UP, "begun_us": bindparam("now_us")})
OF_JOB = select(
    end_commands.c.begun_us, end_commands.c.worker_id, end_commands.c.finished_us, end_commands.c.outcome
).where(_OF_JOB)
