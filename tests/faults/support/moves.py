"""What workers and callers do to one job, each move one transaction; for processes that race."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, select

from aerjob_cli.states import Reason, Status
from aerjob_cli.store import cancels, claims, lifecycle, releases, workers
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import (
    Claim,
    ClaimedJob,
    ExperimentRecord,
    JobRecord,
    Payload,
    Submission,
    WorkerRecord,
)
from aerjob_cli.store.submissions import submit
from aerjob_cli.store.tables import jobs
from tests.support import one_job

# Done by another process: a function of a module, with its arguments bound by `partial`.
Move = Callable[[Store], Any]


def result_at(position: int, data: bytes = b"{}") -> ExperimentRecord:
    """Make a result to be stored."""
    payload = Payload("c", "experiment-result", hashlib.sha256(data).hexdigest(), len(data), data)
    return ExperimentRecord(position, 1, 10, payload)


def worker_record(name: str, *, boot_id: str, drain_requested_us: int | None = None) -> WorkerRecord:
    """Make the record of a worker that no process is."""
    return WorkerRecord(
        worker_id=name,
        host="host",
        boot_id=boot_id,
        pid=0,
        pid_started="never",
        children=(),
        slots=1,
        lease_s=30.0,
        aerjob_version="0",
        qiskit_version=None,
        aer_version=None,
        started_us=1,
        heartbeat_us=1,
        heartbeat_monotonic_s=0.0,
        drain_requested_us=drain_requested_us,
        ended_us=None,
        end=None,
    )


def take_in(store: Store, submission: Submission) -> JobRecord:
    with store.writing() as tx:
        return submit(tx, submission, now_us=store.now_us())


def register(store: Store, worker: WorkerRecord) -> None:
    with store.writing() as tx:
        workers.register(tx, worker)


def take(store: Store, worker_id: str = "one", limit: int = 1) -> list[ClaimedJob]:
    with store.writing() as tx:
        return claims.claim(tx, worker_id, limit=limit, now_us=store.now_us())


def take_for_validation(store: Store, worker_id: str = "one") -> list[ClaimedJob]:
    with store.writing() as tx:
        return claims.claim_validations(tx, worker_id, limit=1, now_us=store.now_us())


def accept(store: Store, held: Claim) -> bool:
    with store.writing() as tx:
        return one_job.accept(tx, held, experiments_total=1, threads=1, now_us=store.now_us())


def return_unread(store: Store, held: Claim) -> bool:
    with store.writing() as tx:
        return lifecycle.return_validation(tx, held, message=None, now_us=store.now_us())


def record(store: Store, held: Claim, results: list[ExperimentRecord]) -> bool:
    with store.writing() as tx:
        return one_job.record_experiments(tx, held, results)


def finish(store: Store, held: Claim) -> bool:
    with store.writing() as tx:
        return finish_in(tx, held, store.now_us())


def finish_in(tx: Connection, held: Claim, now_us: int) -> bool:
    return one_job.finish(tx, held, engine="test", now_us=now_us)


def fail(store: Store, held: Claim) -> bool:
    with store.writing() as tx:
        return lifecycle.fail(tx, held, Reason.SIMULATION_FAILED, "it failed", stderr_tail=None, now_us=store.now_us())


def crash(store: Store, held: Claim) -> bool:
    with store.writing() as tx:
        return lifecycle.crash(tx, held, Reason.EXECUTOR_CRASHED, "it died", stderr_tail=None, now_us=store.now_us())


def give_back(store: Store, held: Claim) -> bool:
    with store.writing() as tx:
        return lifecycle.give_back(tx, held, why="the worker was stopped", now_us=store.now_us())


def end_as_wished(store: Store, held: Claim) -> bool:
    with store.writing() as tx:
        return lifecycle.cancel_held(tx, held, now_us=store.now_us())


def cancel(store: Store, job_seq: int, message: str | None = None) -> str:
    """Ask for the end of a job; give the name of the answer."""
    with store.writing() as tx:
        return cancels.request_cancel(tx, job_seq, now_us=store.now_us(), message=message).name


def rescue(store: Store, new_worker_id: str, boot_id: str) -> list[str]:
    """Put back what all other workers hold; give the ids of those jobs."""
    with store.writing() as tx:
        released = releases.release_lost(tx, new_worker_id=new_worker_id, boot_id=boot_id, now_us=store.now_us())
    return [item.job_id for item in released]


def heed_wishes(store: Store, worker_id: str = "one") -> None:
    """Do what a worker does that finds out that jobs of its are not wanted any more."""
    with store.reading() as tx:
        unwanted = [seq for (seq, _), is_unwanted in claims.claims_of(tx, worker_id).items() if is_unwanted]
    for seq in unwanted:
        assert end_as_wished(store, _claim_of(store, seq))


def _claim_of(store: Store, job_seq: int) -> Claim:
    query = select(jobs.c.job_id, jobs.c.status, jobs.c.attempt, jobs.c.claim_token, jobs.c.worker_id)
    with store.reading() as tx:
        row = tx.execute(query.where(jobs.c.seq == job_seq)).one()
    return Claim(job_seq, row.job_id, Status(row.status), row.attempt, row.claim_token, row.worker_id)
