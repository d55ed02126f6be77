"""A stored job as what an engine must know of it."""

from __future__ import annotations

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.store.records import JobRecord


def spec_of(job: JobRecord, *, max_memory_mb: int) -> JobSpec:
    """Give the spec of a job that may take so much memory, in MiB, on this machine."""
    return JobSpec(
        job_id=job.job_id,
        backend=job.backend,
        method=job.method,
        shots=job.shots,
        seed=job.seed,
        memory=job.memory,
        threads=job.threads or 1,
        max_memory_mb=max_memory_mb,
        options=dict(job.options),
        counts_required=job.counts_required,
    )
