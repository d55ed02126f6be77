"""What an engine finds out, in this process, about a program that Python has handed in."""

from __future__ import annotations

from aerjob_cli.api.requests import Plan, Request
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.program import Program
from aerjob_cli.engines.base import Engine
from aerjob_cli.engines.memory import machine_mb


def plan_of(program: Program, request: Request, engine: Engine) -> Plan:
    """Check that a program can run as a checked request wants it; raises ``CircuitRefused``."""
    assert request.shots is not None  # a checked request has them
    spec = JobSpec(
        job_id="",
        backend=request.backend,
        method=request.method,
        shots=request.shots,
        seed=0,
        memory=request.memory,
        threads=1,
        max_memory_mb=request.max_memory_mb or machine_mb(),
        options=dict(request.options),
        counts_required=False,
    )
    found = engine.check(program, spec)
    return Plan(found.experiments_total, found.threads, found.estimated_bytes)
