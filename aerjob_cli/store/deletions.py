"""Letting jobs go that have ended, with all that belongs to them.

Rows go in one transaction. The files of large circuits and results are not touched here: another job may share them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from aerjob_cli.store.tables import experiment_arrays, experiments, jobs, payloads

_AT_ONCE = 500  # below SQLite's limit of parameters in any build


def delete_final(tx: Connection, job_seqs: Sequence[int]) -> int:
    """Remove those of the jobs that are final, with circuits, results, tags and history; return how many these were."""
    return sum(
        tx.execute(delete(jobs).where(jobs.c.seq.in_(part), jobs.c.finished_us.is_not(None))).rowcount
        for part in _parts(job_seqs)
    )


def objects_of(tx: Connection, job_seqs: Sequence[int]) -> set[str]:
    """Give the checksums of what these jobs have in the object folder: circuits, results and arrays."""
    found: set[str] = set()
    for table in (payloads, experiments, experiment_arrays):
        for part in _parts(job_seqs):
            query = select(table.c.sha256).where(table.c.job_seq.in_(part), table.c.data.is_(None))
            found.update(tx.execute(query).scalars())
    return found


def _parts(job_seqs: Sequence[int]) -> list[Sequence[int]]:
    return [job_seqs[start : start + _AT_ONCE] for start in range(0, len(job_seqs), _AT_ONCE)]
