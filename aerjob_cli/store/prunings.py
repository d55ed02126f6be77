"""Removing the results or the circuits of jobs that have ended, and keeping all else of them.

The job stays as it ended. That something was removed is written down in the same transaction, and only what is written
down lets the guards of the database allow it. Files of large results are not touched here: another job may share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aerjob_cli.states import Part
from aerjob_cli.store.parts import in_parts
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import Pruning

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import prunings as statements
else:
    statements = prepared("prunings")


def prune(tx: Connection, job_seqs: Sequence[int], part: Part, *, now_us: int) -> None:
    """Remove that of jobs that are final; of the history nothing is removed."""
    if not job_seqs:
        return
    is_results = part is Part.RESULTS
    note = statements.NOTE_RESULTS if is_results else statements.NOTE_CIRCUITS
    removals = (statements.REMOVE_ARRAYS, statements.REMOVE_RESULTS) if is_results else (statements.REMOVE_CIRCUITS,)
    for some in in_parts(job_seqs):
        known = set(tx.execute(statements.KNOWN, {"seqs": some}).scalars())
        if new := [{"job_seq": seq} for seq in some if seq not in known]:
            tx.execute(statements.NEW, new)
        tx.execute(note, {"seqs": some, "now_us": now_us})
        for removal in removals:
            tx.execute(removal, {"seqs": some})


def size_of(tx: Connection, job_seqs: Sequence[int], part: Part) -> int:
    """Give how many bytes these jobs have of that, files shared with others included."""
    is_results = part is Part.RESULTS
    sizes = (statements.SIZE_OF_RESULTS, statements.SIZE_OF_ARRAYS) if is_results else (statements.SIZE_OF_CIRCUITS,)
    return sum(tx.execute(size, {"seqs": some}).scalar() or 0 for some in in_parts(job_seqs) for size in sizes)


def of_job(tx: Connection, job_seq: int) -> Pruning:
    """Say what was removed of a job."""
    row = tx.execute(statements.OF_JOB, {"seq": job_seq}).one_or_none()
    return Pruning() if row is None else Pruning(row.results_us, row.circuits_us)
