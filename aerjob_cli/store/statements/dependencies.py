"""What jobs depend on, and what becomes of them when that has ended."""

from __future__ import annotations

from sqlalchemy import bindparam, exists, insert, null, or_, select, type_coerce, update

from aerjob_cli.states import UNBEGUN, After, Reason, Status
from aerjob_cli.store.columns import Whole
from aerjob_cli.store.move_times import not_before_start
from aerjob_cli.store.tables import dependencies, jobs

_MEANT = jobs.c.seq.in_(bindparam("seqs", expanding=True))
_IS_PENDING = jobs.c.finished_us.is_(None)
_ON = jobs.alias("awaited")

# Of a job of a statement: whether others depend on it. Next to nothing where none does, and no statement of its own.
_IS_AWAITED = type_coerce(
    exists(select(dependencies.c.job_seq).where(dependencies.c.on_seq == jobs.c.seq)).correlate(jobs), Whole
).label("is_awaited")
# What a statement that ends jobs gives of each.
ended_columns = (jobs.c.seq, _IS_AWAITED)

INSERT_DEPENDENCIES = insert(dependencies)
NAMED = select(jobs.c.job_id, jobs.c.seq, jobs.c.status, jobs.c.reason).where(
    jobs.c.job_id.in_(bindparam("job_ids", expanding=True))
)
OF_JOB = (
    select(dependencies.c.kind, _ON.c.seq, _ON.c.job_id, _ON.c.status)
    .join(_ON, _ON.c.seq == dependencies.c.on_seq)
    .where(dependencies.c.job_seq == bindparam("of_job"))
    .order_by(dependencies.c.on_seq)
)
# Those that have not ended and depend on some jobs, with how those have ended.
WAITING_FOR = (
    select(
        dependencies.c.job_seq,
        dependencies.c.kind,
        jobs.c.status,
        jobs.c.attempt,
        _ON.c.job_id.label("on_id"),
        _ON.c.status.label("on_status"),
        _ON.c.reason.label("on_reason"),
    )
    .join(jobs, jobs.c.seq == dependencies.c.job_seq)
    .join(_ON, _ON.c.seq == dependencies.c.on_seq)
    .where(dependencies.c.on_seq.in_(bindparam("seqs", expanding=True)), _IS_PENDING)
)
PENDING_DEPENDANTS = (
    select(dependencies.c.on_seq, jobs.c.job_id)
    .join(jobs, jobs.c.seq == dependencies.c.job_seq)
    .where(dependencies.c.on_seq.in_(bindparam("seqs", expanding=True)), _IS_PENDING)
    .limit(bindparam("at_most"))
)
AWAITED_OF = (
    select(dependencies.c.on_seq)
    .distinct()
    .join(jobs, jobs.c.seq == dependencies.c.job_seq)
    .where(dependencies.c.on_seq.in_(bindparam("seqs", expanding=True)), _IS_PENDING)
)

_LEFT = (jobs.c.seq, jobs.c.status, jobs.c.attempt, jobs.c.waits, jobs.c.held, jobs.c.begin_us)
MEET = update(jobs).where(_MEANT, _IS_PENDING).values(waits=jobs.c.waits - bindparam("met")).returning(*_LEFT)
MEET_ANY = (
    update(jobs)
    .where(_MEANT, _IS_PENDING, jobs.c.unmet_any == 1)
    .values(unmet_any=0, waits=jobs.c.waits - 1)
    .returning(*_LEFT)
)
# Those of which one of several had to be DONE, and none can be any more.
WITHOUT_HOPE = select(jobs.c.seq).where(
    _MEANT,
    _IS_PENDING,
    jobs.c.unmet_any == 1,
    ~exists(
        select(dependencies.c.on_seq)
        .join(_ON, _ON.c.seq == dependencies.c.on_seq)
        .where(
            dependencies.c.job_seq == jobs.c.seq,
            dependencies.c.kind == After.ANY_DONE,
            or_(_ON.c.finished_us.is_(None), _ON.c.status == Status.DONE),
        )
    ).correlate(jobs),
)
FAIL = (
    update(jobs)
    .where(_MEANT, jobs.c.status.in_(UNBEGUN))
    .values(
        status=Status.ERROR,
        reason=Reason.DEPENDENCY_FAILED,
        message=bindparam("why"),
        claim_token=null(),
        finished_us=not_before_start(bindparam("now_us")),
    )
    .returning(*ended_columns)
)
