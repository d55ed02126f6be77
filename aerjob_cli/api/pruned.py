"""Saying of a job that what was asked for is no longer kept, where nothing of it is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aerjob_cli.clock import to_datetime
from aerjob_cli.errors import Pruned
from aerjob_cli.states import Part
from aerjob_cli.store import prunings
from aerjob_cli.store.records import JobRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection


def require_kept(tx: Connection, job: JobRecord, part: Part) -> None:
    """Raise ``Pruned`` where that was removed of a job."""
    found = prunings.of_job(tx, job.seq)
    removed_us = found.results_us if part is Part.RESULTS else found.circuits_us
    if removed_us is None:
        return
    if part is Part.CIRCUITS:
        remedy = "submit them again"
    elif found.circuits_us is None:
        remedy = f"`aerjob retry {job.job_id}` computes them again"
    else:
        remedy = "its circuits are gone as well, so submit them again"
    raise Pruned(job.job_id, part, f"{to_datetime(removed_us):%Y-%m-%dT%H:%M:%SZ}", remedy)
