"""What jobs should wait for besides their turn, counted from what they depend on: whether each row still says so."""

from __future__ import annotations

from sqlalchemy import and_, case, exists, func, select

from aerjob_cli.states import After, Status
from aerjob_cli.store.tables import dependencies, jobs

_ON = jobs.alias("on_job")


_WHOSE = and_(dependencies.c.job_seq == jobs.c.seq, dependencies.c.on_seq == _ON.c.seq)
_OF_ANY = dependencies.c.kind == After.ANY_DONE
# Not met: what has ended otherwise than it should would have ended the job as well.
_UNMET = (
    select(func.count())
    .select_from(dependencies, _ON)
    .where(_WHOSE, ~_OF_ANY, _ON.c.finished_us.is_(None))
    .correlate(jobs)
    .scalar_subquery()
)
_HAS_ANY = exists().where(dependencies.c.job_seq == jobs.c.seq, _OF_ANY).correlate(jobs)
_HAS_ONE_DONE = exists(select(dependencies.c.job_seq).where(_WHOSE, _OF_ANY, _ON.c.status == Status.DONE)).correlate(
    jobs
)

UNMET_ANY = case((and_(_HAS_ANY, ~_HAS_ONE_DONE), 1), else_=0)
WAITS = _UNMET + UNMET_ANY + jobs.c.held + case((jobs.c.begin_us.is_not(None), 1), else_=0)
IS_WRONG = and_(
    jobs.c.finished_us.is_(None),
    jobs.c.status != Status.RUNNING,
    (jobs.c.waits != WAITS) | (jobs.c.unmet_any != UNMET_ANY),
)
WRONG = select(
    jobs.c.seq, jobs.c.job_id, jobs.c.waits, WAITS.label("should_be"), UNMET_ANY.label("any_should_be")
).where(IS_WRONG)
