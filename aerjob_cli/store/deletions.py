"""Letting jobs go that have ended, with all that belongs to them.

Rows go in one transaction. The files of large circuits and results are not touched here: another job may share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aerjob_cli.store.parts import in_parts
from aerjob_cli.store.prepared import prepared

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import deletions as statements
else:
    statements = prepared("deletions")


def delete_final(tx: Connection, job_seqs: Sequence[int]) -> int:
    """Remove those of the jobs that are final, with circuits, results, tags and history; return how many these were."""
    return sum(tx.execute(statements.DELETE_FINAL, {"seqs": part}).rowcount for part in in_parts(job_seqs))


def objects_of(tx: Connection, job_seqs: Sequence[int]) -> set[str]:
    """Give the checksums of what these jobs have in the object folder: circuits, results and arrays."""
    found: set[str] = set()
    for objects in (statements.CIRCUIT_OBJECTS, statements.RESULT_OBJECTS, statements.ARRAY_OBJECTS):
        for part in in_parts(job_seqs):
            found.update(tx.execute(objects, {"seqs": part}).scalars())
    return found
