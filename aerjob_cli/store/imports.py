"""Taking in jobs that have ended in another store: with their ids, times, history and results, and never to be run.

The guards of the database let only a running job have results, and an ended one never change. So each comes in as
running, under a claim that nobody else has, gets its results, and ends, all in the transaction of its caller: nobody
ever sees it otherwise than ended.

Their numbers are negative, below those of all jobs that were submitted here, and so are those of their moves. So
`last`, and whoever follows what goes on, find what happened here without passing over them, however many they are.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aerjob_cli.states import Status
from aerjob_cli.store import deliveries, events, runtimes
from aerjob_cli.store.imported_jobs import ImportedJob
from aerjob_cli.store.parts import in_parts
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import Claim, ExperimentRecord, Payload
from aerjob_cli.store.request_digest import as_json, digest_of, result_key_of
from aerjob_cli.store.submissions import payload_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import dependencies as dependency_statements
    from aerjob_cli.store.statements import imports as statements
    from aerjob_cli.store.statements import submissions as submission_statements
else:
    statements = prepared("imports")
    dependency_statements = prepared("dependencies")
    submission_statements = prepared("submissions")

# The numbers of what is imported are below this, and not merely below 1: to a guard a job that is about to be inserted
# has the number -1 (https://sqlite.org/lang_createtrigger.html calls it undefined), and must not seem to replace one.
_AFTER_LAST = -1000
# Each result can have 256 KiB with it, and as much with each of its arrays.
_RESULTS_AT_ONCE = 50

# Gives the payloads of a job, and its results, with their bytes or, of large ones, without.
PayloadsOf = Callable[[ImportedJob], Sequence[Payload]]
ResultsOf = Callable[[ImportedJob], Iterable[tuple[ExperimentRecord, str | None]]]


def take_in(
    tx: Connection,
    jobs: Sequence[ImportedJob],
    *,
    payloads_of: PayloadsOf,
    results_of: ResultsOf,
    why: str,
    now_us: int,
) -> None:
    """Take jobs in, none of which is here, in their order; ``why`` tells their history where they come from.

    A large payload must be in the object folder already. They depend on those jobs only that are here by then.
    """
    if not jobs:
        return
    claims = _begun(tx, jobs, now_us)
    for job, claim in zip(jobs, claims, strict=True):
        tx.execute(submission_statements.INSERT_PAYLOADS, list(payload_rows(claim.job_seq, payloads_of(job))))
        for runtime in job.runtimes:
            runtimes.note(tx, runtime)
    claimed = list(zip(jobs, claims, strict=True))
    tags = [{"job_seq": claim.job_seq, "tag": tag} for job, claim in claimed for tag in job.asked.tags]
    if tags:
        tx.execute(submission_statements.INSERT_TAGS, tags)
    _deliver(tx, claimed, results_of)
    _end(tx, jobs, claims)
    _tell(tx, jobs, claims, why, now_us)
    _depend(tx, jobs, claims)


def _begun(tx: Connection, jobs: Sequence[ImportedJob], now_us: int) -> list[Claim]:
    """Insert the rows of the jobs, as running under one claim."""
    token = uuid.uuid4().hex
    first = _before(tx.execute(statements.FIRST_JOB).scalar(), len(jobs))
    claims = [
        Claim(first + place, job.job_id, Status.RUNNING, job.end.attempt, token, worker_id="")
        for place, job in enumerate(jobs)
    ]
    tx.execute(statements.INSERT_JOBS, [_row(job, claim, now_us) for job, claim in zip(jobs, claims, strict=True)])
    return claims


def _before(first: int | None, count: int) -> int:
    """Give the first of so many numbers that come before all that are there."""
    return min(_AFTER_LAST, _AFTER_LAST if first is None else first) - count


def _row(job: ImportedJob, claim: Claim, now_us: int) -> dict[str, Any]:
    asked, end = job.asked, job.end
    return {
        "seq": claim.job_seq,
        "job_id": job.job_id,
        "status": claim.status,
        "claim_token": claim.token,
        "message": end.message,
        "stderr_tail": end.stderr_tail,
        "error_line": end.error_line,
        "error_column": end.error_column,
        "cancel_message": end.cancel_message,
        "cancel_requested_us": end.cancel_requested_us,
        "name": asked.name,
        "backend": asked.backend,
        "method": asked.method,
        "shots": asked.shots,
        "seed": asked.seed,
        "memory": int(asked.memory),
        "options": as_json(asked.options),
        "metadata": as_json(asked.metadata),
        "counts_required": int(asked.counts_required),
        "priority": asked.priority,
        "time_limit_s": asked.time_limit_s,
        "max_memory_mb": asked.max_memory_mb,
        "max_attempts": asked.max_attempts,
        "request_sha256": digest_of(asked),
        "result_key": result_key_of(asked),
        "retry_of": asked.retry_of,
        "reused_from": end.reused_from,
        "submitted_by": as_json(asked.submitted_by),
        "group_name": asked.group_name,
        "experiments_total": asked.experiments_total,
        "threads": asked.threads,
        "estimated_bytes": asked.estimated_bytes,
        "experiments_done": end.experiments_done,
        "validations": end.validations,
        "attempt": end.attempt,
        "attempts_charged": end.attempts_charged,
        "engine": end.engine,
        "submitted_us": end.submitted_us,
        "started_us": end.started_us,
        "imported_us": now_us,
        "waits": 0,
        "held": 0,
        "unmet_any": 0,
        **dict.fromkeys(("reason", "idempotency_key", "worker_id", "finished_us", "executor_pid", "executor_started")),
        **dict.fromkeys(("begin_us", "on_end")),
    }


def _deliver(tx: Connection, claimed: Iterable[tuple[ImportedJob, Claim]], results_of: ResultsOf) -> None:
    waiting: list[tuple[int, ExperimentRecord, str | None]] = []
    for job, claim in claimed:
        for result, runtime_id in results_of(job):
            waiting.append((claim.job_seq, result, runtime_id))
            if len(waiting) >= _RESULTS_AT_ONCE:
                deliveries.insert(tx, waiting)
                waiting = []
    if waiting:
        deliveries.insert(tx, waiting)


def _end(tx: Connection, jobs: Sequence[ImportedJob], claims: Sequence[Claim]) -> None:
    rows = [
        {
            "held_seq": claim.job_seq,
            "held_token": claim.token,
            "new_status": job.end.status,
            "new_reason": job.end.reason,
            "new_finished_us": job.end.finished_us,
        }
        for job, claim in zip(jobs, claims, strict=True)
    ]
    tx.execute(statements.END, rows)
    pruned = [
        {
            "job_seq": claim.job_seq,
            "results_us": job.end.results_pruned_us,
            "circuits_us": job.end.circuits_pruned_us,
        }
        for job, claim in zip(jobs, claims, strict=True)
        if (job.end.results_pruned_us, job.end.circuits_pruned_us) != (None, None)
    ]
    if pruned:
        tx.execute(statements.INSERT_PRUNINGS, pruned)


def _tell(tx: Connection, jobs: Sequence[ImportedJob], claims: Sequence[Claim], why: str, now_us: int) -> None:
    """Write down the moves that they have made, and that they have come here."""
    rows = [
        {
            "job_seq": claim.job_seq,
            "at_us": event.at_us,
            "from_status": event.from_status,
            "to_status": event.to_status,
            "attempt": event.attempt,
            "worker_id": event.worker_id,
            "why": event.why,
            "runtime_id": event.runtime_id,
        }
        for job, claim in zip(jobs, claims, strict=True)
        for event in job.history
    ]
    first = _before(tx.execute(statements.FIRST_EVENT).scalar(), len(rows))
    if rows:
        tx.execute(statements.INSERT_EVENTS, [{"seq": first + place, **row} for place, row in enumerate(rows)])
    for status in Status:
        ended = [claim for job, claim in zip(jobs, claims, strict=True) if job.end.status is status]
        for attempt in sorted({claim.attempt for claim in ended}):
            seqs = [claim.job_seq for claim in ended if claim.attempt == attempt]
            events.note(tx, seqs, at_us=now_us, source=status, target=status, why=why, attempt=attempt)


def _depend(tx: Connection, jobs: Sequence[ImportedJob], claims: Sequence[Claim]) -> None:
    """Write down what they depend on of what is here, and comes before them: no circle can come about."""
    named = sorted({item.job_id for job in jobs for item in job.asked.dependencies})
    here: dict[str, int] = {}
    for part in in_parts(named):
        here |= {row.job_id: row.seq for row in tx.execute(dependency_statements.NAMED, {"job_ids": part})}
    own = {claim.job_id: claim.job_seq for claim in claims}
    rows = {
        (claim.job_seq, here[item.job_id], item.kind)
        for job, claim in zip(jobs, claims, strict=True)
        for item in job.asked.dependencies
        if item.job_id in here and own.get(item.job_id, claim.job_seq - 1) < claim.job_seq
    }
    if rows:
        tx.execute(
            dependency_statements.INSERT_DEPENDENCIES,
            [{"job_seq": job_seq, "on_seq": on_seq, "kind": kind} for job_seq, on_seq, kind in sorted(rows)],
        )


def prunings_of(tx: Connection, job_seqs: Sequence[int]) -> Mapping[int, tuple[int | None, int | None]]:
    """Give when results and circuits of jobs were pruned, of those of which anything was, by sequence number."""
    found: dict[int, tuple[int | None, int | None]] = {}
    for part in in_parts(job_seqs):
        for row in tx.execute(statements.PRUNED, {"seqs": part}):
            found[row.job_seq] = row.results_us, row.circuits_us
    return found
