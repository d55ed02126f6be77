"""The tags of jobs. They are for people, so a job that has ended can still be given another one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, insert, select

from aerjob_cli.store.tables import job_tags


def tag(tx: Connection, job_seqs: Sequence[int], *, add: Collection[str], remove: Collection[str]) -> None:
    """Take tags from jobs, then add others; a tag that is there, or is not, stays so."""
    for seq in job_seqs:
        for gone in sorted(set(remove)):
            tx.execute(delete(job_tags).where(job_tags.c.job_seq == seq, job_tags.c.tag == gone))
        present = set(tx.execute(select(job_tags.c.tag).where(job_tags.c.job_seq == seq)).scalars())
        missing = sorted(set(add) - present)
        if missing:
            tx.execute(insert(job_tags), [{"job_seq": seq, "tag": new} for new in missing])
