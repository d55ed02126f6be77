"""Stored results of experiments."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select

from aerjob_cli.store.tables import experiment_arrays, experiments, jobs

_OF_JOB = experiments.c.job_seq == bindparam("seq")

OF_JOB = select(experiments).where(_OF_JOB).order_by(experiments.c.position)
SOME_OF_JOB = OF_JOB.where(experiments.c.position.in_(bindparam("positions", expanding=True)))
# How they came to be, without the bytes.
RUNS_OF_JOB = (
    select(*(column for column in experiments.c if column.name not in ("job_seq", "data")))
    .where(_OF_JOB)
    .order_by(experiments.c.position)
)
# All of it in one reading: with the results beside them, these columns lie far apart.
KINDS_OF_JOB = (
    select(
        experiments.c.attempt,
        experiments.c.method,
        experiments.c.runtime_id,
        func.count().label("total"),
        func.count(experiments.c.time_taken_s).label("timed"),
        func.sum(experiments.c.time_taken_s).label("time_taken_s"),
        func.count(experiments.c.peak_rss_bytes).label("weighed"),
        func.max(experiments.c.peak_rss_bytes).label("peak_rss_bytes"),
    )
    .where(_OF_JOB)
    .group_by(experiments.c.attempt, experiments.c.method, experiments.c.runtime_id)
)
POSITIONS_OF_JOB = select(experiments.c.position).where(_OF_JOB).order_by(experiments.c.position)
LAST_OF_JOB = select(func.max(experiments.c.position)).where(_OF_JOB)
DONE_OF_JOB = select(jobs.c.experiments_done).where(jobs.c.seq == bindparam("seq"))

# What is known of the arrays from one position to another. Their bytes, which may be many, are not read.
ARRAYS_BETWEEN = (
    select(
        experiment_arrays.c.position,
        experiment_arrays.c.name,
        experiment_arrays.c.format,
        experiment_arrays.c.sha256,
        experiment_arrays.c.size_bytes,
    )
    .where(
        experiment_arrays.c.job_seq == bindparam("seq"),
        experiment_arrays.c.position.between(bindparam("first"), bindparam("last")),
    )
    .order_by(experiment_arrays.c.position, experiment_arrays.c.name)
)
ARRAY = select(experiment_arrays).where(
    experiment_arrays.c.job_seq == bindparam("seq"),
    experiment_arrays.c.position == bindparam("at"),
    experiment_arrays.c.name == bindparam("named"),
)
ARRAYS = (
    select(experiment_arrays)
    .where(experiment_arrays.c.job_seq == bindparam("seq"), experiment_arrays.c.position == bindparam("at"))
    .order_by(experiment_arrays.c.name)
)
