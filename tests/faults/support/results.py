"""Stored results of jobs, in a form in which two jobs that did the same are equal."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from aerjob_cli.api.client import Client
from aerjob_cli.store.records import JobRecord

Sums = list[tuple[int, Any, list[tuple[str, str]]]]


def result_sums(client: Client, job: JobRecord) -> Sums:
    """Give the data of every stored result, and the checksum of each of its arrays, whose bytes are read."""
    return [
        (
            result.position,
            json.loads(result.data)["data"],
            [(array.name, hashlib.sha256(array.load()).hexdigest()) for array in result.arrays],
        )
        for result in client.results(job)
    ]
