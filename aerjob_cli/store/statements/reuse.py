"""Finding an earlier job that was asked for the same, and giving its result to a new one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Insert, ScalarSelect, Table, bindparam, func, insert, null, select, update

from aerjob_cli.states import Status
from aerjob_cli.store.tables import experiment_arrays, experiments, jobs, prunings

_IS_PRUNED = select(prunings.c.job_seq).where(prunings.c.job_seq == jobs.c.seq, prunings.c.results_us.is_not(None))
# Those of which the results are all there; the last one first.
DONE_WITH_KEY = (
    select(jobs.c.seq, jobs.c.job_id, jobs.c.engine, jobs.c.experiments_total)
    .where(
        jobs.c.result_key == bindparam("key"),
        jobs.c.status == Status.DONE,
        # What came from elsewhere is believed by who asks for it, and by nobody else.
        jobs.c.imported_us.is_(None),
        ~_IS_PRUNED.exists(),
    )
    .order_by(jobs.c.seq.desc())
    .limit(bindparam("limit"))
)
RESULTS_OF = select(experiments.c.sha256, experiments.c.size_bytes, experiments.c.data).where(
    experiments.c.job_seq == bindparam("seq")
)
ARRAYS_OF = select(experiment_arrays.c.sha256, experiment_arrays.c.size_bytes, experiment_arrays.c.data).where(
    experiment_arrays.c.job_seq == bindparam("seq")
)
RESULT_FILES = select(experiments.c.sha256).where(
    experiments.c.job_seq == bindparam("seq"), experiments.c.data.is_(None)
)
ARRAY_FILES = select(experiment_arrays.c.sha256).where(
    experiment_arrays.c.job_seq == bindparam("seq"), experiment_arrays.c.data.is_(None)
)
STILL_DONE = select(jobs.c.seq).where(
    jobs.c.job_id == bindparam("job_id"), jobs.c.status == Status.DONE, ~_IS_PRUNED.exists()
)
RUNTIMES_OF = (
    select(experiments.c.runtime_id, func.count().label("total"))
    .where(experiments.c.job_seq == bindparam("seq"))
    .group_by(experiments.c.runtime_id)
)

# Only a running job gets results; nobody sees that it is one before the transaction ends.
BEGIN = (
    update(jobs)
    .where(jobs.c.seq == bindparam("new_seq"), jobs.c.status.in_((Status.INITIALIZING, Status.QUEUED)))
    .values(status=Status.RUNNING, claim_token=bindparam("token"))
)


def _copied(table: Table, **new: ColumnElement[Any]) -> Insert:
    """Give the rows of one job to another one, but for columns that have values of their own."""
    own = {"job_seq": bindparam("new_seq", type_=table.c.job_seq.type), **new}
    rows = select(*(own.get(column.name, column) for column in table.c)).where(
        table.c.job_seq == bindparam("source_seq"), table.c.position.between(bindparam("first"), bindparam("last"))
    )
    return insert(table).from_select([column.name for column in table.c], rows)


COPY_EXPERIMENTS = _copied(experiments)
# In the words of who asks now.
COPY_NAMED_EXPERIMENT = _copied(experiments, name=bindparam("new_name", type_=experiments.c.name.type))
COPY_ARRAYS = _copied(experiment_arrays)

_SOURCE = jobs.alias("source")


def _of_source(name: str) -> ScalarSelect[Any]:
    return select(_SOURCE.c[name]).where(_SOURCE.c.seq == bindparam("source_seq")).scalar_subquery()


END = (
    update(jobs)
    .where(
        jobs.c.seq == bindparam("new_seq"),
        jobs.c.status == Status.RUNNING,
        jobs.c.claim_token == bindparam("token"),
    )
    .values(
        status=Status.DONE,
        claim_token=null(),
        finished_us=jobs.c.submitted_us,
        reused_from=func.coalesce(_of_source("reused_from"), _of_source("job_id")),
        **{
            name: _of_source(name)
            for name in ("engine", "experiments_total", "experiments_done", "threads", "estimated_bytes")
        },
    )
    .returning(jobs.c.reused_from)
)
