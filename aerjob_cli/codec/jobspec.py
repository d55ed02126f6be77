"""What an engine and an executor must know of a job, and nothing that only the store or the worker needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class JobSpec:
    """What an executor must know of a job. ``max_memory_mb`` in MiB, ``seed`` from 0 to 2^63 − 1."""

    job_id: str
    backend: str
    method: str
    shots: int
    seed: int
    memory: bool
    threads: int
    max_memory_mb: int
    options: dict[str, Any]
    # Texts come from people who have not measured yet: for them a missing measurement is refused.
    counts_required: bool
