"""Why a job is not running yet, in one sentence, from what the store and the system tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aerjob_cli.api.waits import why_waiting
from aerjob_cli.frozen import dataclass
from aerjob_cli.memory import MIB, available_bytes, counted_bytes, in_words, largest_job_bytes, usable_memory_mb
from aerjob_cli.processes import rss_bytes
from aerjob_cli.settings import QUEUE_COUNTED_TO
from aerjob_cli.states import Status
from aerjob_cli.store import jobs, workers
from aerjob_cli.store.records import JobRecord, WorkerRecord

if TYPE_CHECKING:
    from sqlalchemy import Connection

_RUNNING_LOOKED_AT = 128


@dataclass(frozen=True)
class Explanation:
    """A job, and why it is where it is. ``cause`` is one of a closed list, for programs."""

    job: JobRecord
    cause: str
    sentence: str


def explain(tx: Connection, job: JobRecord) -> Explanation:
    """Say why a job is not running yet, or that it is, or has ended."""
    if job.status.is_final:
        message = f": {job.message}" if job.message else ""
        return Explanation(job, "ended", f"it has ended, {job.status}{message}")
    if job.status is Status.RUNNING:
        return Explanation(job, "runs", f"it runs, in attempt {job.attempt}")
    if (why := why_waiting(job)) is not None:
        remedy = f"; `aerjob release {job.job_id}` lets it go" if job.held else ""
        return Explanation(job, "waits", f"it is not to begin yet: {why}{remedy}")
    alive = workers.alive(tx)
    listening = [worker for worker in alive if worker.drain_requested_us is None]
    if not listening:
        fact = "the worker is stopping" if alive else "no worker runs"
        return Explanation(
            job, "no_worker", f"{fact}; `aerjob wait {job.job_id}` starts one, and so does `aerjob worker start`"
        )
    if job.status in (Status.INITIALIZING, Status.VALIDATING):
        return Explanation(job, "validation", "its circuits are being checked, or wait for that")
    return _in_the_queue(tx, job, listening[0])


def _in_the_queue(tx: Connection, job: JobRecord, worker: WorkerRecord) -> Explanation:
    running = jobs.resolve_all(tx, jobs.running_of(tx, worker.worker_id)[:_RUNNING_LOOKED_AT])
    needed = counted_bytes(job.estimated_bytes)
    if needed:
        most = min(usable_memory_mb(), worker.max_memory_mb or usable_memory_mb()) * MIB
        if needed > largest_job_bytes(most, slots=worker.slots):
            return Explanation(
                job,
                "memory_of_worker",
                f"it takes about {in_words(needed)}, and this worker gives out {in_words(most)}; start one with a "
                "larger --max-memory, or cancel the job",
            )
        free = _free_bytes(most, worker, running)
        if needed > free:
            return Explanation(
                job,
                "memory",
                f"it takes about {in_words(needed)} of memory, and {in_words(free)} are free beside what runs",
            )
    if (job.threads or 1) > 1 and any((other.threads or 1) > 1 for other in running):
        first = next(other for other in running if (other.threads or 1) > 1)
        return Explanation(job, "cores", f"it takes all cores, as job {first.job_id} does, which runs")
    place = jobs.queue_position(tx, job)
    if place is not None and place > 1:
        ahead = "1 job is" if place == 2 else f"{place - 1} jobs are"
        if place > QUEUE_COUNTED_TO:
            ahead = f"more than {QUEUE_COUNTED_TO} jobs are"
        return Explanation(job, "queue", f"{ahead} before it in the queue, and {_work(worker, running)}")
    return Explanation(job, "next", f"it is the next one, and {_work(worker, running)}")


def _free_bytes(most: int, worker: WorkerRecord, running: Sequence[JobRecord]) -> int:
    promised = sum(counted_bytes(other.estimated_bytes) for other in running)
    free = largest_job_bytes(most, slots=worker.slots) - promised
    available = available_bytes()
    if available is not None:
        free = min(free, largest_job_bytes(max(0, available - _not_taken_bytes(running)), slots=worker.slots))
    return max(0, free)


def _not_taken_bytes(running: Sequence[JobRecord]) -> int:
    """Give what running jobs were promised and have not yet, as far as the store says which process runs each."""
    taken = (
        (counted_bytes(job.estimated_bytes), 0 if job.executor_pid is None else rss_bytes(job.executor_pid) or 0)
        for job in running
    )
    return sum(max(0, promised - has) for promised, has in taken)


def _work(worker: WorkerRecord, running: Sequence[JobRecord]) -> str:
    busy = min(len(running), worker.slots)
    return f"{busy} of the worker's {worker.slots} slots are busy"
