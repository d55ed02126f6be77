"""Which of the jobs that would come in from another store are in this one already, and whether they are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aerjob_cli.store import experiments, submissions
from aerjob_cli.store.imported_jobs import ImportedJob
from aerjob_cli.store.imports import prunings_of
from aerjob_cli.store.jobs import record_of
from aerjob_cli.store.parts import in_parts
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import JobRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import jobs as statements
else:
    statements = prepared("jobs")


def known(tx: Connection, job_ids: Sequence[str]) -> dict[str, JobRecord]:
    """Give those of the jobs that are in the store already, by their ids."""
    found = {}
    for part in in_parts(job_ids):
        for row in tx.execute(statements.BY_IDS, {"job_ids": part}):
            record = record_of(row)
            found[record.job_id] = record
    return found


def is_same(tx: Connection, record: JobRecord, job: ImportedJob) -> bool:
    """Tell whether a job that is here is the one that would come in: asked for the same, ended alike, with its results.

    What can be changed of an ended job may differ, and what was pruned on either side.
    """
    asked, end = job.asked, job.end
    ours = (record.backend, record.method, record.shots, record.seed, record.memory, record.experiments_total)
    theirs = (asked.backend, asked.method, asked.shots, asked.seed, asked.memory, asked.experiments_total)
    if ours != theirs or dict(record.options) != dict(asked.options) or dict(record.metadata) != dict(asked.metadata):
        return False
    if (record.status, record.reason, record.message) != (end.status, end.reason, end.message):
        return False
    if (record.submitted_us, record.finished_us) != (end.submitted_us, end.finished_us):
        return False
    _, circuits_pruned_us = prunings_of(tx, [record.seq]).get(record.seq, (None, None))
    if circuits_pruned_us is None and end.circuits_pruned_us is None:
        files = [(file.name, file.format, file.sha256) for file in submissions.files_of(tx, record.seq)]
        if files != [(item.name, item.format, item.sha256) for item in asked.payloads]:
            return False
    results = {item.position: (item.sha256, item.arrays) for item in experiments.runs_of(tx, record.seq)}
    return all(
        results.get(item.position, (item.sha256, item.arrays)) == (item.sha256, item.arrays) for item in job.results
    )
