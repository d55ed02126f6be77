"""From the options of `submit` and `run` to requests, and the requests to durable jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from aerjob_cli.api.client import Client, Request
from aerjob_cli.cli import interrupts
from aerjob_cli.cli.inputs import read_circuits
from aerjob_cli.errors import AerjobError, UsageError
from aerjob_cli.settings import Settings
from aerjob_cli.store.records import JobRecord


def requests_of(parameters: Mapping[str, Any], settings: Settings) -> list[Request]:
    """Make a request of each file; ``parameters`` are those that `submit` and `run` share, by their names.

    Raises ``InputRefused`` for a file that cannot be read.
    """
    files: Sequence[str] = parameters["files"]
    if parameters["idempotency_key"] is not None and len(files) > 1:
        raise UsageError("an idempotency key stands for one job; give one file with it")
    shots = parameters["shots"]
    wish = Request(
        circuits=(),
        backend=parameters["backend"] or settings.backend,
        shots=settings.shots if shots is None else shots,
        seed=parameters["seed"],
        memory=parameters["memory"],
        options={"measure_all": True} if parameters["measure_all"] else {},
        name=parameters["name"],
        tags=tuple(parameters["tag"] or ()),
        priority=parameters["priority"],
        time_limit_s=parameters["time_limit"],
        max_memory_mb=parameters["max_memory"],
        max_attempts=parameters["max_attempts"],
        idempotency_key=parameters["idempotency_key"],
    )
    return [
        replace(wish, circuits=(circuit,), name=wish.name or PurePath(circuit.name).stem or None)
        for circuit in read_circuits(files)
    ]


def take_in(client: Client, requests: Sequence[Request]) -> tuple[list[JobRecord], AerjobError | None]:
    """Make the jobs durable; a signal that came meanwhile is given back with them, so that no id gets lost."""
    jobs: list[JobRecord] = []
    try:
        with interrupts.put_off():
            jobs = client.submit(requests)
    except interrupts.Interrupted as interrupt:
        if not jobs:
            raise
        return jobs, interrupt.as_error()
    return jobs, None
