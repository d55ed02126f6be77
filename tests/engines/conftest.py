"""What the tests of engines share: jobs and circuits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aerjob_cli.codec.jobspec import JobSpec

MakeSpec = Callable[..., JobSpec]


@pytest.fixture
def make_spec() -> MakeSpec:
    def make(**changes: object) -> JobSpec:
        fields: dict[str, object] = {
            "job_id": "job",
            "backend": "qasm_simulator",
            "method": "automatic",
            "shots": 100,
            "seed": 5,
            "memory": False,
            "threads": 1,
            "max_memory_mb": 1024,
            "options": {},
            "counts_required": True,
        }
        return JobSpec(**{**fields, **changes})  # type: ignore[arg-type]

    return make
