"""A real store in a temporary folder, and jobs in it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aerjob_cli.settings import StorePaths
from aerjob_cli.store import submissions
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import JobRecord, Payload, Submission

SubmitJob = Callable[..., JobRecord]


@pytest.fixture
def paths(tmp_path: Path) -> StorePaths:
    return StorePaths(tmp_path / "home")


@pytest.fixture
def store(paths: StorePaths) -> Iterator[Store]:
    opened = Store.open(paths)
    yield opened
    opened.close()


def submission(**changes: Any) -> Submission:
    """Make a submission of one small text; ``changes`` replace its fields."""
    text = b"OPENQASM 2.0;"
    fields: dict[str, Any] = {
        "job_id": str(uuid.uuid4()),
        "payloads": (Payload("a", "openqasm2", hashlib.sha256(text).hexdigest(), len(text), text),),
        "backend": "qasm_simulator",
        "method": "automatic",
        "shots": 10,
        "seed": 7,
    }
    return Submission(**(fields | changes))


@pytest.fixture
def submit(store: Store) -> SubmitJob:
    """Submit a job; keywords are fields of the submission."""

    def submit_one(**changes: Any) -> JobRecord:
        with store.writing() as tx:
            return submissions.submit(tx, submission(**changes), now_us=store.now_us())

    return submit_one
