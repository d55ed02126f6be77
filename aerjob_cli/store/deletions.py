"""Letting jobs go that have ended, with all that belongs to them.

Rows go in one transaction. The files of large circuits and results are not touched here: another job may share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aerjob_cli.store.prepared import prepared

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import deletions as statements
else:
    statements = prepared("deletions")

_AT_ONCE = 500  # below SQLite's limit of parameters in any build


def delete_final(tx: Connection, job_seqs: Sequence[int]) -> int:
    """Remove those of the jobs that are final, with circuits, results, tags and history; return how many these were."""
    return sum(tx.execute(statements.DELETE_FINAL, {"seqs": part}).rowcount for part in _parts(job_seqs))


def objects_of(tx: Connection, job_seqs: Sequence[int]) -> set[str]:
    """Give the checksums of what these jobs have in the object folder: circuits, results and arrays."""
    found: set[str] = set()
    for objects in (statements.CIRCUIT_OBJECTS, statements.RESULT_OBJECTS, statements.ARRAY_OBJECTS):
        for part in _parts(job_seqs):
            found.update(tx.execute(objects, {"seqs": part}).scalars())
    return found


def _parts(job_seqs: Sequence[int]) -> list[Sequence[int]]:
    return [job_seqs[start : start + _AT_ONCE] for start in range(0, len(job_seqs), _AT_ONCE)]
