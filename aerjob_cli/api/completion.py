"""Waiting for several jobs at once, in the order in which they end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from aerjob_cli.api.job import BasicAerJob
from aerjob_cli.api.job_errors import JobTimedOut, raised_as_job_errors


def as_completed(jobs: Iterable[BasicAerJob], timeout: float | None = None) -> Iterator[BasicAerJob]:
    """Give each job once it has ended, whatever way, as ``concurrent.futures.as_completed`` does with futures.

    The jobs are of one store, which is looked at for all of them together; a job that is given twice comes once.
    ``timeout`` is in seconds from this call. Raises ``JobTimedOut`` (also a ``TimeoutError``) when it has passed and
    jobs are left, ``UnknownJob`` when somebody deletes one meanwhile, and ``ValueError`` for jobs of several stores.
    """
    by_id: dict[str, BasicAerJob] = {}
    for job in jobs:
        by_id.setdefault(job.job_id(), job)
    wanted = list(by_id.values())
    homes = {job._client.store.paths.home for job in wanted if job._is_stored}
    if len(homes) > 1:
        raise ValueError(f"the jobs are of {len(homes)} stores; wait for those of each store apart")
    return _as_completed(wanted, timeout, None if timeout is None else time.monotonic() + timeout)


def _as_completed(jobs: list[BasicAerJob], timeout_s: float | None, deadline_s: float | None) -> Iterator[BasicAerJob]:
    yield from (job for job in jobs if not job._is_stored)
    stored = {job.job_id(): job for job in jobs if job._is_stored}
    if not stored:
        return
    client = next(iter(stored.values()))._client
    with raised_as_job_errors():
        records = client.resolve(list(stored))
        left_s = None if deadline_s is None else max(0.0, deadline_s - time.monotonic())
        for record in client.wait(records, timeout_s=left_s):
            job = stored.pop(record.job_id)
            job._noted(record)
            yield job
    if stored:
        raise JobTimedOut(
            f"{len(stored)} of {len(jobs)} jobs have not ended in {timeout_s} s, and go on; see their status()",
            timeout_s=timeout_s,
        )
