"""What is removed of jobs that are kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, Delete, Executable, Select, Table, bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from aerjob_cli.codec.envelope import ESTIMATION, SWEEP
from aerjob_cli.store.tables import experiment_arrays, experiments, payloads, prunings

_SEQS: BindParameter[list[int]] = bindparam("seqs", expanding=True)

OF_JOB = select(prunings.c.results_us, prunings.c.circuits_us).where(prunings.c.job_seq == bindparam("seq"))


def _noted(column: str) -> Executable:
    """Write down when that was removed of each job; of one of which it was before, it stays as it was."""
    made = upsert(prunings).values({"job_seq": bindparam("seq"), column: bindparam("now_us")})
    return made.on_conflict_do_update(
        index_elements=[prunings.c.job_seq],
        set_={column: func.coalesce(prunings.c[column], made.excluded[column])},
    )


NOTE_RESULTS = _noted("results_us")
NOTE_CIRCUITS = _noted("circuits_us")


def _removed(table: Table) -> Delete:
    return delete(table).where(table.c.job_seq.in_(_SEQS))


REMOVE_RESULTS = _removed(experiments)
REMOVE_ARRAYS = _removed(experiment_arrays)
# What results are read by stays with them: the values of parameters, and what was estimated.
_IS_CIRCUIT = payloads.c.format.not_in((SWEEP, ESTIMATION))
REMOVE_CIRCUITS = _removed(payloads).where(_IS_CIRCUIT)


def _size_of(table: Table) -> Select[Any]:
    return select(func.sum(table.c.size_bytes)).where(table.c.job_seq.in_(_SEQS))


SIZE_OF_RESULTS = _size_of(experiments)
SIZE_OF_ARRAYS = _size_of(experiment_arrays)
SIZE_OF_CIRCUITS = _size_of(payloads).where(_IS_CIRCUIT)
