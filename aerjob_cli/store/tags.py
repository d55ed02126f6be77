"""The tags of jobs. They are for people, so a job that has ended can still be given another one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from aerjob_cli.store.prepared import prepared

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import tags as statements
else:
    statements = prepared("tags")


def tag(tx: Connection, job_seqs: Sequence[int], *, add: Collection[str], remove: Collection[str]) -> None:
    """Take tags from jobs, then add others; a tag that is there, or is not, stays so."""
    for seq in job_seqs:
        for gone in sorted(set(remove)):
            tx.execute(statements.TAKE, {"of_job": seq, "gone": gone})
        present = set(tx.execute(statements.OF_JOB, {"of_job": seq}).scalars())
        missing = sorted(set(add) - present)
        if missing:
            tx.execute(statements.GIVE, [{"job_seq": seq, "tag": new} for new in missing])
