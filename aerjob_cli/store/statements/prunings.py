"""What is removed of jobs that are kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, Delete, Select, Table, Update, bindparam, delete, func, insert, select, update

from aerjob_cli.codec.envelope import RUN_FORMATS
from aerjob_cli.store.tables import experiment_arrays, experiments, payloads, prunings

_SEQS: BindParameter[list[int]] = bindparam("seqs", expanding=True)

OF_JOB = select(prunings.c.results_us, prunings.c.circuits_us).where(prunings.c.job_seq == bindparam("seq"))


NEW = insert(prunings)
KNOWN = select(prunings.c.job_seq).where(prunings.c.job_seq.in_(_SEQS))


def _noted(column: str) -> Update:
    """Write down when that was removed of jobs; of those of which it was before, it stays as it was."""
    known = prunings.c[column]
    return update(prunings).where(prunings.c.job_seq.in_(_SEQS), known.is_(None)).values({column: bindparam("now_us")})


NOTE_RESULTS = _noted("results_us")
NOTE_CIRCUITS = _noted("circuits_us")


def _removed(table: Table) -> Delete:
    return delete(table).where(table.c.job_seq.in_(_SEQS))


REMOVE_RESULTS = _removed(experiments)
REMOVE_ARRAYS = _removed(experiment_arrays)
# What results are read by stays with them: noise, the values of parameters, what was estimated.
_IS_CIRCUIT = payloads.c.format.in_(sorted(RUN_FORMATS))
REMOVE_CIRCUITS = _removed(payloads).where(_IS_CIRCUIT)


def _size_of(table: Table) -> Select[Any]:
    return select(func.sum(table.c.size_bytes)).where(table.c.job_seq.in_(_SEQS))


SIZE_OF_RESULTS = _size_of(experiments)
SIZE_OF_ARRAYS = _size_of(experiment_arrays)
SIZE_OF_CIRCUITS = _size_of(payloads).where(_IS_CIRCUIT)
