"""Deleting jobs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, Table, bindparam, delete, select

from aerjob_cli.store.tables import experiment_arrays, experiments, jobs, payloads

DELETE_FINAL = delete(jobs).where(jobs.c.seq.in_(bindparam("seqs", expanding=True)), jobs.c.finished_us.is_not(None))


def _objects(table: Table) -> Select[Any]:
    return select(table.c.sha256).where(table.c.job_seq.in_(bindparam("seqs", expanding=True)), table.c.data.is_(None))


CIRCUIT_OBJECTS = _objects(payloads)
RESULT_OBJECTS = _objects(experiments)
ARRAY_OBJECTS = _objects(experiment_arrays)
