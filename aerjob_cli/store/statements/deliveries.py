"""Writing what executors have brought for many jobs."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Text, and_, bindparam, insert, null, update

from aerjob_cli.states import Status
from aerjob_cli.store.columns import Unsigned
from aerjob_cli.store.move_times import not_before_start
from aerjob_cli.store.statements.dependencies import ended_columns
from aerjob_cli.store.tables import experiment_arrays, experiments, jobs


def _are_held(status: Status) -> ColumnElement[bool]:
    """Give the condition that jobs are still in the hands of claims that were made together."""
    return and_(
        jobs.c.seq.in_(bindparam("seqs", expanding=True)),
        jobs.c.status == status,
        jobs.c.attempt == bindparam("held_attempt"),
        jobs.c.claim_token == bindparam("held_token"),
    )


ACCEPT = (
    update(jobs)
    .where(_are_held(Status.VALIDATING))
    .values(
        status=Status.QUEUED,
        claim_token=null(),
        experiments_total=bindparam("new_total"),
        threads=bindparam("new_threads"),
        estimated_bytes=bindparam("new_estimated_bytes"),
    )
    .returning(jobs.c.seq)
)
COUNT = (
    update(jobs)
    .where(_are_held(Status.RUNNING))
    .values(experiments_done=jobs.c.experiments_done + bindparam("new_results"))
    .returning(jobs.c.seq)
)
FINISH = (
    update(jobs)
    .where(_are_held(Status.RUNNING), jobs.c.experiments_done == jobs.c.experiments_total)
    .values(
        status=Status.DONE,
        claim_token=null(),
        engine=bindparam("new_engine"),
        finished_us=not_before_start(bindparam("now_us")),
    )
    .returning(*ended_columns)
)
# Numbers that no integer of SQLite's holds are given as the texts that they are stored as.
INSERT_EXPERIMENTS = insert(experiments).values(
    {
        column.name: bindparam(column.name, type_=Text() if isinstance(column.type, Unsigned) else column.type)
        for column in experiments.c
    }
)
INSERT_ARRAYS = insert(experiment_arrays)
