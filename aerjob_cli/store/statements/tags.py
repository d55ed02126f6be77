"""The tags of jobs."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from aerjob_cli.store.tables import job_tags

_OF_JOB = job_tags.c.job_seq == bindparam("of_job")

OF_JOB = select(job_tags.c.tag).where(_OF_JOB)
GIVE = insert(job_tags)
TAKE = delete(job_tags).where(_OF_JOB, job_tags.c.tag == bindparam("gone"))
