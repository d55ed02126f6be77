"""What the clients of a soak do, each in a process of its own, through the public Python API.

A client tells its parent of each thing that it has learned, in one write that either arrives or does not.
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit
from qiskit.providers import JobError
from qiskit.providers.jobstatus import JOB_FINAL_STATES

from aerjob_cli import BasicAerProvider
from aerjob_cli.api.job_errors import JobTimedOut
from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.cli import worker_control
from aerjob_cli.errors import AerjobError, JobNotFound
from aerjob_cli.states import PENDING
from aerjob_cli.store.listing import JobFilter
from benchmarks.soak.outcomes import circuits_of, outcome_of
from benchmarks.soak.tasks import Task

# Of one wait; whoever has waited in vain leaves it to the next.
PATIENCE_S = 15.0
_OPENQASM_2 = "openqasm2"

Work = Callable[["Post", Path], None]


@dataclass(frozen=True)
class Post:
    """The way to the parent."""

    descriptor: int

    def tell(self, what: str, **entry: Any) -> None:
        os.write(self.descriptor, json.dumps({"what": what, **entry}).encode() + b"\n")


def submit(tasks: Sequence[Task], *, wait: bool) -> Work:
    """Submit tasks one by one, and wait for them where that is wanted, as `run` does."""

    def work(post: Post, home: Path) -> None:
        provider = BasicAerProvider(home)
        submitted = []
        for task in tasks:
            try:
                job_id = _submitted(provider, task)
            except AerjobError as error:
                post.tell("refused", task=task.number, code=error.code)
                continue
            post.tell("acknowledged", task=task.number, id=job_id)
            submitted.append((task, job_id))
        if wait:
            _follow(post, provider, submitted)

    return work


def wait(awaited: Sequence[tuple[Task, str]]) -> Work:
    """Wait for jobs and read their results."""
    return lambda post, home: _follow(post, BasicAerProvider(home), awaited)


def wait_for_all() -> Work:
    """Wait for whatever is pending, as somebody does who knows no ids."""

    def work(post: Post, home: Path) -> None:
        client = BasicAerProvider(home).client
        pending = client.listed(JobFilter(statuses=tuple(PENDING)), limit=None)
        for _ in client.wait(pending, timeout_s=PATIENCE_S):
            pass

    return work


def cancel(targets: Sequence[tuple[Task, str]]) -> Work:
    """Cancel jobs."""

    def work(post: Post, home: Path) -> None:
        provider = BasicAerProvider(home)
        for task, job_id in targets:
            try:
                post.tell("cancelled", task=task.number, answer=provider.retrieve_job(job_id).cancel())
            except JobTimedOut:
                continue

    return work


def start_worker(*arguments: str) -> Work:
    """Start a worker as `aerjob worker start` does."""

    def work(post: Post, home: Path) -> None:
        worker_control.start(BasicAerProvider(home).client.store, arguments)

    return work


def run_in_fork(work: Work, *, descriptor: int, home: Path) -> None:
    """Do the work and end the process; never returns."""
    post = Post(descriptor)
    try:
        work(post, home)
    except (AerjobError, JobError) as error:
        post.tell("gave up", text=f"{type(error).__name__}: {error}"[:500])
    except BaseException:  # noqa: BLE001 - the last frame of a fork: its parent must not go on in it
        post.tell("bug", text=traceback.format_exc()[-3000:])
    finally:
        os._exit(0)


def _submitted(provider: BasicAerProvider, task: Task) -> str:
    key = task.name if task.is_keyed else None
    if task.is_text:
        circuits = tuple(CircuitBytes(f"c{at}", _OPENQASM_2, text.encode()) for at, text in enumerate(task.texts))
        request = Request(
            circuits=circuits,
            backend=task.backend,
            shots=task.shots,
            seed=task.simulator_seed,
            name=task.name,
            max_attempts=task.max_attempts,
            idempotency_key=key,
        )
        (record,) = provider.client.submit([request])
        return record.job_id
    circuits_read: list[QuantumCircuit] = circuits_of(task)
    job = provider.get_backend(task.backend).run(
        circuits_read,
        shots=task.shots,
        seed_simulator=task.simulator_seed,
        job_name=task.name,
        max_attempts=task.max_attempts,
        idempotency_key=key,
    )
    return str(job.job_id())


def _follow(post: Post, provider: BasicAerProvider, awaited: Sequence[tuple[Task, str]]) -> None:
    client = provider.client
    tasks = {job_id: task for task, job_id in awaited}
    found = []
    for job_id, task in tasks.items():
        try:
            found.append(client.find(job_id))
        except JobNotFound:
            post.tell("missing", task=task.number)
    for record in client.wait(found, timeout_s=PATIENCE_S):
        job = provider.retrieve_job(record.job_id)
        assert job.status() in JOB_FINAL_STATES
        task = tasks[record.job_id]
        outcome = outcome_of(job.result(), task) if record.status == "DONE" else None
        post.tell(
            "final",
            task=task.number,
            status=record.status,
            reason=record.reason,
            finished_us=record.finished_us,
            outcome=outcome,
        )
